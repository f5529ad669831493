import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { PROTOCOL } from '../ports.ts';
import { describeKernel } from './describe-kernel.ts';
import { fakeKernel } from './fake-kernel.ts';

describeKernel('fake kernel', async () => {
  const kernel = fakeKernel();
  const peerNamespace = '/run/netns/peer';
  const peer = kernel.addNamespace(peerNamespace);
  return { kernel, other: kernel.reopen(), peer, peerNamespace, async [Symbol.asyncDispose]() {} };
});

test('changes are recorded and can be refused', async () => {
  const kernel = fakeKernel();
  kernel.refuse = (operation) => (operation.endsWith('10.65.0.64/26') ? 'ENOBUFS' : undefined);
  const blackholes = ['10.65.0.0/26', '10.65.0.64/26'].map((text) => ({
    destination: parsePrefix(text),
    metric: 0,
    protocol: PROTOCOL.local,
    target: { type: 'blackhole' } as const,
  }));
  const outcome = await kernel.routes.replace(blackholes);
  expect(outcome.map((error) => error?.code)).toEqual([undefined, 'ENOBUFS']);
  expect(kernel.operations).toEqual(['replace route 10.65.0.0/26', 'replace route 10.65.0.64/26']);
});

test('a namespace that is removed takes both ends of its links', async () => {
  const host = fakeKernel();
  host.addNamespace('/run/netns/web1');
  const peer = { name: 'eth0', namespace: '/run/netns/web1' };
  await host.links.createVeth({ name: 'cali1', mtu: 1500, peer });
  expect(await host.open('/run/netns/web1').links.get('eth0')).toBeDefined();
  host.removeNamespace('/run/netns/web1');
  expect(await host.links.get('cali1')).toBeUndefined();
  expect(() => host.open('/run/netns/web1')).toThrow(/ENOENT/);
});

test('lost events are told to every monitor', async () => {
  const kernel = fakeKernel();
  const events = kernel.monitor.events(new AbortController().signal);
  kernel.overrun();
  for await (const event of events) {
    expect(event).toEqual({ type: 'overrun' });
    break;
  }
});
