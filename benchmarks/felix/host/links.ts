import { openKernel } from '@overland/linux';
import { netns } from '@overland/linux/testing';
import { interfaceOf } from './cluster.ts';

/** The host's ends of its workloads, which are all in one namespace; gone with it. */
export async function workloadLinks(count: number): Promise<AsyncDisposable> {
  const workloads = await netns();
  await using kernel = openKernel();
  for (let i = 0; i < count; i++) {
    const peer = { name: `eth${i}`, namespace: workloads.path };
    await kernel.links.createVeth({ name: interfaceOf(i), mtu: 1500, peer });
  }
  return workloads;
}
