import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Datastore } from '@overland/datastore';
import { subnetAt } from '@overland/net';
import { hostOf, requestOf } from './host.ts';
import { BLOCK_LENGTH, OTHERS } from './setting.ts';
import { storeBlocks } from './store-blocks.ts';

/** What a host pays in a cluster of so many others: it assigns from a block of its own, and claims. */
export async function costAmong(store: Datastore, hosts: number) {
  const cidrs = Array.from({ length: hosts * 10 }, (_, i) =>
    subnetAt(OTHERS, BLOCK_LENGTH, BigInt(i)),
  );
  for (let i = 0; i < hosts; i++) {
    await storeBlocks(store, `other-${i}`, cidrs.slice(10 * i, 10 * i + 10));
  }
  const before = heapMebibytes();
  await using host = await hostOf('measured');
  const index = heapMebibytes() - before;
  const ask = (handle: string) =>
    host.ipam.assign({ ...requestOf('measured', handle), pools: ['own'] });
  const handles = Array.from({ length: 600 }, (_, i) => `c${String(i).padStart(3, '0')}`);
  await ask('warm-up');
  host.cost.calls = 0;
  host.cost.octets = 0;
  // Sixty from each block: with every one comes a claim.
  const latencies: number[] = [];
  for (const handle of handles) {
    const asked = performance.now();
    await ask(handle);
    latencies.push(performance.now() - asked);
  }
  const sorted = latencies.toSorted((a, b) => a - b);
  const { calls, octets } = host.cost;
  const { size } = host.view.claims;
  for (const handle of ['warm-up', ...handles]) await host.ipam.release(handle);
  for (const cidr of await host.ipam.blocksOf('measured')) await host.ipam.giveUp(cidr);
  return {
    what: `${hosts} hosts × 10 blocks`,
    'claims in the index': size,
    'etcd calls': calls,
    octets,
    p50: Number(sorted[300]?.toFixed(2)),
    p99: Number(sorted[594]?.toFixed(2)),
    'index MiB': Number(index.toFixed(1)),
  };
}

setFlagsFromString('--expose-gc');
const collectHeap = runInNewContext('gc') as () => void;
function heapMebibytes(): number {
  collectHeap();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}
