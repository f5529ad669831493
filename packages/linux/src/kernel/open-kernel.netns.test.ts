import { readdirSync } from 'node:fs';
import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { PROTOCOL } from '../ports.ts';
import { cable, netns } from '../testing/netns.ts';
import { openKernel } from './open-kernel.ts';

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

test('iproute2 sees what we wrote', async () => {
  await using left = await netns();
  await using right = await netns();
  await cable(
    { namespace: left, device: 'eth1', addresses: ['10.1.0.0/31', 'fd00:1::/127'] },
    { namespace: right, device: 'eth1', addresses: ['10.1.0.1/31', 'fd00:1::1/127'] },
  );
  await using kernel = openKernel({ namespace: left.path });

  const outcome = await kernel.routes.replace([
    {
      destination: parsePrefix('10.65.0.0/26'),
      metric: 0,
      protocol: PROTOCOL.local,
      target: { type: 'blackhole' },
    },
  ]);

  expect(outcome).toEqual([undefined]);
  expect(await left.ip('route', 'show', 'proto', '87')).toContain('blackhole 10.65.0.0/26');
  expect(await left.exec(['ping', '-c1', '-W2', 'fd00:1::1'])).toContain(' 0% packet loss');
});

test('closing returns every descriptor', async () => {
  await using ns = await netns();
  const before = openDescriptors();
  const rounds = 20;
  for (let i = 0; i < rounds; i++) {
    await using kernel = openKernel({ namespace: ns.path });
    const events = kernel.monitor.events(new AbortController().signal);
    await kernel.links.set('lo', { mtu: 60_000 + i });
    for await (const event of events) if (event.type === 'link') break;
    await kernel.routes.list('ipv4');
  }
  // The runtime opens and closes some of its own meanwhile; a leak is at least one each round.
  await expect.poll(openDescriptors, { timeout: 10_000 }).toBeLessThan(before + rounds);
});

test('a kernel whose namespace does not exist cannot be opened', () => {
  expect(() => openKernel({ namespace: '/run/netns/none' })).toThrow(/ENOENT/);
});
