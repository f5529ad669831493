import { parseAddress, parseInterfaceAddress } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { type Kernel, type KernelEvent, PROTOCOL, type Route } from '../ports.ts';
import { connect, group, type KernelPair, path, route, SOON, viaObject } from './kernel-pair.ts';

/** Collects events until it leaves scope. */
function watch(
  kernel: Kernel,
  options?: { readonly echo: boolean },
): AsyncDisposable & { readonly seen: KernelEvent[] } {
  const stop = new AbortController();
  const seen: KernelEvent[] = [];
  const events = kernel.monitor.events(stop.signal, options);
  const loop = (async () => {
    for await (const event of events) seen.push(event);
  })();
  return {
    seen,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await loop;
    },
  };
}

const isOurs = (event: KernelEvent): boolean =>
  event.type === 'route' && event.route.protocol === PROTOCOL.bgp;

export function describeMonitor(makePair: () => Promise<KernelPair>): void {
  describe('monitor', () => {
    test('reports links, addresses and neighbours, and that they are gone', async () => {
      await using pair = await makePair();
      await using monitor = watch(pair.kernel);
      await connect(pair, 1);
      const address = parseInterfaceAddress('10.9.0.1/24');
      const link = { name: 'eth1', up: true, carrier: true };
      await pair.kernel.links.addAddress('eth1', address);
      await pair.kernel.neighbours.replace({
        device: 'eth1',
        address: parseAddress('10.0.1.1'),
        mac: '02:00:00:00:00:01',
      });
      const neighbour = { device: 'eth1', address: '10.0.1.1', state: 'permanent' };
      await expect
        .poll(() => monitor.seen, SOON)
        .toEqual(
          expect.arrayContaining([
            expect.objectContaining({ type: 'link', link: expect.objectContaining(link) }),
            { type: 'address', device: 'eth1', address, removed: false },
            { type: 'neighbour', neighbour: expect.objectContaining(neighbour), removed: false },
          ]),
        );

      await pair.kernel.links.removeAddress('eth1', address);
      await pair.kernel.neighbours.remove('eth1', parseAddress('10.0.1.1'));
      const { index } = (await pair.kernel.links.get('eth1')) ?? {};
      await pair.kernel.links.remove('eth1');
      await expect
        .poll(() => monitor.seen, SOON)
        .toEqual(
          expect.arrayContaining([
            { type: 'address', device: 'eth1', address, removed: true },
            expect.objectContaining({ type: 'neighbour', removed: true }),
            { type: 'link-removed', index, name: 'eth1' },
          ]),
        );
    });

    test('reports the other end going down as a lost carrier', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      await using monitor = watch(pair.kernel);
      await pair.peer.links.set('eth1', { up: false });
      const link = expect.objectContaining({ name: 'eth1', up: true, carrier: false });
      await expect.poll(() => monitor.seen, SOON).toContainEqual({ type: 'link', link });
    });

    test('reports routes in order', async () => {
      await using pair = await makePair();
      await using monitor = watch(pair.kernel);
      const ipv4 = route('10.65.0.0/26', { type: 'blackhole' });
      const ipv6 = route('fd65::/122', { type: 'blackhole' });
      await pair.kernel.routes.replace([ipv4, ipv6]);
      await pair.kernel.routes.remove([ipv4]);
      await expect
        .poll(() => monitor.seen.filter(isOurs), SOON)
        .toEqual([
          { type: 'route', family: 'ipv4', route: ipv4, removed: false },
          { type: 'route', family: 'ipv6', route: ipv6, removed: false },
          { type: 'route', family: 'ipv4', route: ipv4, removed: true },
        ]);
    });

    test('reports next-hop objects, not the IPv4 routes that go with them', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      await using monitor = watch(pair.kernel);
      await pair.kernel.nextHopObjects.replace([path(1, 1), group(10, 1)]);
      await pair.kernel.routes.replace([viaObject('10.65.0.0/26', 10)]);
      await pair.kernel.nextHopObjects.remove([1]);
      const object = (id: number, removed: boolean) => ({
        type: 'next-hop-object',
        id,
        protocol: PROTOCOL.bgp,
        removed,
      });
      await expect
        .poll(() => monitor.seen, SOON)
        .toEqual(
          expect.arrayContaining([
            object(1, false),
            object(10, false),
            object(1, true),
            object(10, true),
          ]),
        );
      expect(monitor.seen.filter(isOurs)).toMatchObject([{ removed: false }]);
    });

    test('without echo, reports what others do to routes and next-hop objects', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      await using monitor = watch(pair.kernel, { echo: false });
      const [ours, theirs] = ['10.65.0.0/26', 'fd65::/122'].map((destination) =>
        route(destination, { type: 'blackhole' }),
      ) as [Route, Route];
      await pair.kernel.nextHopObjects.replace([path(1, 1)]);
      await pair.kernel.routes.replace([ours]);
      await pair.kernel.links.set('eth1', { mtu: 1400 });
      await pair.other.nextHopObjects.replace([path(2, 1)]);
      await pair.other.routes.replace([theirs]);
      await pair.other.routes.remove([ours]);
      await expect
        .poll(() => monitor.seen.filter(isOurs), SOON)
        .toEqual([
          { type: 'route', family: 'ipv6', route: theirs, removed: false },
          { type: 'route', family: 'ipv4', route: ours, removed: true },
        ]);
      const rest = monitor.seen.filter((event) => event.type !== 'route');
      expect(rest).toContainEqual(expect.objectContaining({ type: 'link' }));
      const objects = rest.filter((event) => event.type === 'next-hop-object');
      expect(objects).toEqual([expect.objectContaining({ id: 2 })]);
    });

    test('ends when its signal aborts, when the loop is left, and when the kernel is closed', async () => {
      await using pair = await makePair();
      const aborted = pair.kernel.monitor.events(AbortSignal.abort());
      for await (const event of aborted) expect.unreachable(event.type);

      const left = pair.kernel.monitor.events(new AbortController().signal);
      await pair.kernel.routes.replace([route('10.65.0.0/26', { type: 'blackhole' })]);
      for await (const event of left) if (isOurs(event)) break;

      const closed = pair.kernel.monitor.events(new AbortController().signal);
      const waiting = (async () => {
        for await (const event of closed) expect.unreachable(event.type);
        return 'ended';
      })();
      await pair.kernel[Symbol.asyncDispose]();
      expect(await waiting).toBe('ended');
    });
  });
}
