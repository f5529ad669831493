import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { type KernelEvent, PROTOCOL, type Route } from '../ports.ts';
import { netns } from '../testing/netns.ts';
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
