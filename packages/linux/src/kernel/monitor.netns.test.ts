import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { type KernelEvent, PROTOCOL, type Route } from '../ports.ts';
import { cable, netns } from '../testing/netns.ts';
import { openKernel } from './open-kernel.ts';

const blackhole = (i: number): Route => ({
  destination: parsePrefix(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`),
  metric: 0,
  protocol: PROTOCOL.bgp,
  target: { type: 'blackhole' },
});

test('a consumer that stops reading is told what it missed, and hears what comes after', async () => {
  await using ns = await netns();
  await using kernel = openKernel({ namespace: ns.path });
  const stop = new AbortController();
  const events = kernel.monitor.events(stop.signal);
  const flood = Array.from({ length: 100_000 }, (_, i) => blackhole(i));
  await kernel.routes.replace(flood);
  await kernel.routes.remove(flood);

  const seen = { route: 0, overrun: 0 };
  const next = async (): Promise<KernelEvent> => {
    const { value } = await events[Symbol.asyncIterator]().next();
    return value as KernelEvent;
  };
  while (seen.overrun === 0) {
    const event = await next();
    if (event.type === 'route' || event.type === 'overrun') seen[event.type] += 1;
  }
  // What fitted: our own queue and one kernel buffer, far from everything.
  expect(seen.route).toBeLessThan(200_000);

  const last = { ...blackhole(0), metric: 4711 };
  await kernel.routes.replace([last]);
  const isLast = (event: KernelEvent): boolean =>
    event.type === 'route' && event.route.metric === 4711;
  let event = await next();
  while (!isLast(event)) event = await next();
  expect(event).toMatchObject({ route: last, removed: false });
  stop.abort();
});

test('a neighbour that answers, and one that does not', async () => {
  await using left = await netns();
  await using right = await netns();
  await cable(
    { namespace: left, device: 'eth1', addresses: ['10.1.0.0/24'] },
    { namespace: right, device: 'eth1', addresses: ['10.1.0.1/24'] },
  );
  await using kernel = openKernel({ namespace: left.path });
  await kernel.sysctls.set('net.ipv4.neigh.eth1.retrans_time_ms', '10');
  const events = kernel.monitor.events(new AbortController().signal);
  await left.exec(['ping', '-c1', '-W2', '10.1.0.1']);
  await left.exec(['ping', '-c1', '-W1', '10.1.0.9']).catch(() => undefined);
  const states = new Set<string>();
  for await (const event of events) {
    if (event.type !== 'neighbour') continue;
    states.add(`${event.neighbour.address} ${event.neighbour.state}`);
    if (states.has('10.1.0.1 reachable') && states.has('10.1.0.9 failed')) break;
  }
  await using peer = openKernel({ namespace: right.path });
  const { mac } = (await peer.links.get('eth1')) ?? {};
  expect(await kernel.neighbours.list('eth1')).toContainEqual(
    expect.objectContaining({ address: '10.1.0.1', mac }),
  );
});

test('two monitors both hear everything', async () => {
  await using ns = await netns();
  await using kernel = openKernel({ namespace: ns.path });
  const never = new AbortController().signal;
  const monitors = [kernel.monitor.events(never), kernel.monitor.events(never)];
  await kernel.routes.replace([blackhole(1)]);
  for (const monitor of monitors) {
    for await (const event of monitor) {
      expect(event).toMatchObject({ type: 'route', route: blackhole(1) });
      break;
    }
  }
});
