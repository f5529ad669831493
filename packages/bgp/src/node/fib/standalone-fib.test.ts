import { PROTOCOL } from '@overland/linux';
import { type FakeKernel, fakeKernel } from '@overland/linux/testing';
import {
  type NextHop,
  type NextHopSet,
  packRoutes,
  parseAddress,
  parseInterfaceAddress,
  parsePrefix,
  type RouteBatch,
} from '@overland/net';
import fc from 'fast-check';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { StandaloneFib } from './standalone-fib.ts';

const via = (address: string, device: string): NextHop => ({
  address: parseAddress(address),
  device,
});
const A = via('10.1.0.1', 'eth1');
const B = via('10.2.0.1', 'eth2');
const SETS: readonly NextHopSet[] = [
  { id: 3, nextHops: [] },
  { id: 1, nextHops: [A] },
  { id: 2, nextHops: [A, B] },
  { id: 4, nextHops: [B] },
];

/** @param routes Next-hop set by prefix; 0 withdraws. */
function batch(routes: Record<string, number>, endOfRib = false): RouteBatch {
  const changes = Object.entries(routes).map(([text, nextHopSet]) => ({
    prefix: parsePrefix(text),
    nextHopSet,
  }));
  const records = packRoutes('ipv4', changes);
  return { sequence: 1, family: 'ipv4', nextHopSets: SETS, records, endOfRib };
}

const noIpv6: RouteBatch = {
  sequence: 1,
  family: 'ipv6',
  nextHopSets: [],
  records: packRoutes('ipv6', []),
  endOfRib: true,
};

interface Router {
  readonly kernel: FakeKernel;
  readonly down: Set<string>;
  start(): Promise<StandaloneFib>;
}

async function router(): Promise<Router> {
  const kernel = fakeKernel();
  kernel.addNamespace('/run/netns/far');
  for (const [device, address] of [
    ['eth1', '10.1.0.0/31'],
    ['eth2', '10.2.0.0/31'],
  ] as const) {
    const peer = { name: device, namespace: '/run/netns/far' };
    await kernel.links.createVeth({ name: device, mtu: 1500, peer });
    await kernel.links.set(device, { up: true });
    await kernel.open('/run/netns/far').links.set(device, { up: true });
    await kernel.links.addAddress(device, parseInterfaceAddress(address));
  }
  const down = new Set<string>();
  return {
    kernel,
    down,
    async start() {
      const log = pino({ level: 'silent' });
      const fib = new StandaloneFib(kernel, (device) => !down.has(device), log);
      await fib.resync();
      kernel.operations.length = 0;
      return fib;
    },
  };
}

/** `10.9.0.0/24 10.1.0.1+10.2.0.1`: what the kernel does with each route of ours. */
async function table(kernel: FakeKernel): Promise<string[]> {
  const objects = new Map(
    (await kernel.nextHopObjects.list()).map(({ id, content }) => [id, content]),
  );
  const text = (id: number): string => {
    const content = objects.get(id);
    if (content?.type === 'group') return content.members.map(text).toSorted().join('+');
    return content?.nextHop.address ?? 'nothing';
  };
  const routes = await kernel.routes.list('ipv4', PROTOCOL.bgp);
  return routes
    .map(({ destination, target }) =>
      target.type === 'next-hop-object' ? `${destination} ${text(target.id)}` : destination,
    )
    .toSorted();
}

test('routes come, change and go, one next-hop object for many', async () => {
  const { kernel, start } = await router();
  const fib = await start();
  await fib.apply(batch({ '10.8.0.0/24': 1, '10.9.0.0/24': 2, '10.10.0.0/24': 2 }));
  expect(await table(kernel)).toEqual([
    '10.10.0.0/24 10.1.0.1+10.2.0.1',
    '10.8.0.0/24 10.1.0.1',
    '10.9.0.0/24 10.1.0.1+10.2.0.1',
  ]);
  expect(await kernel.nextHopObjects.list()).toHaveLength(3);
  await fib.apply(batch({ '10.8.0.0/24': 2, '10.9.0.0/24': 0 }));
  expect(await table(kernel)).toEqual([
    '10.10.0.0/24 10.1.0.1+10.2.0.1',
    '10.8.0.0/24 10.1.0.1+10.2.0.1',
  ]);
});

test('after a restart the same routes are written by nobody, and what is not offered again goes', async () => {
  const { kernel, start } = await router();
  await (await start()).apply(batch({ '10.8.0.0/24': 1, '10.9.0.0/24': 2 }));

  const fib = await start();
  expect(fib.preserved).toEqual(['ipv4']);
  await fib.apply(batch({ '10.9.0.0/24': 2 }));
  expect(kernel.operations).toEqual([]);
  expect(await table(kernel)).toHaveLength(2);
  await fib.apply(batch({}, true));
  expect(kernel.operations).toEqual(['remove route 10.8.0.0/24']);
  expect(await table(kernel)).toEqual(['10.9.0.0/24 10.1.0.1+10.2.0.1']);
});

test('next-hop objects that nothing uses go once both families are complete', async () => {
  const { kernel, start } = await router();
  const fib = await start();
  await fib.apply(batch({ '10.9.0.0/24': 2 }));
  await fib.apply(batch({ '10.9.0.0/24': 1 }, true));
  expect(await kernel.nextHopObjects.list()).toHaveLength(3);
  await fib.apply(noIpv6);
  expect(await kernel.nextHopObjects.list()).toHaveLength(1);
});

test('a link that goes down takes its next hop out of the group, and gives it back', async () => {
  const { kernel, down, start } = await router();
  const fib = await start();
  await fib.apply(batch({ '10.8.0.0/24': 1, '10.9.0.0/24': 2 }, true));
  down.add('eth1');
  await kernel.links.set('eth1', { up: false });
  await fib.linksChanged();
  expect(await table(kernel)).toEqual(['10.9.0.0/24 10.2.0.1']);
  down.clear();
  await kernel.links.set('eth1', { up: true });
  await fib.linksChanged();
  expect(await table(kernel)).toEqual(['10.8.0.0/24 10.1.0.1', '10.9.0.0/24 10.1.0.1+10.2.0.1']);
});

test('a link event touches next-hop groups alone, however many routes there are', async () => {
  const { kernel, down, start } = await router();
  const fib = await start();
  const prefixes = Array.from({ length: 2000 }, (_, i) => `10.${64 + (i >> 8)}.${i & 255}.0/24`);
  await fib.apply(batch(Object.fromEntries(prefixes.map((prefix) => [prefix, 2])), true));
  const list = vi.spyOn(kernel.routes, 'list');
  kernel.operations.length = 0;
  down.add('eth1');
  await kernel.links.set('eth1', { up: false });
  await fib.linksChanged();
  down.clear();
  await kernel.links.set('eth1', { up: true });
  await fib.linksChanged();
  expect(kernel.operations).toEqual([
    'change link eth1',
    'change link eth1',
    'replace next-hop object 86000',
    'replace next-hop object 86002',
  ]);
  expect(list).not.toHaveBeenCalled();
  expect(new Set((await table(kernel)).map((line) => line.split(' ')[1]))).toEqual(
    new Set(['10.1.0.1+10.2.0.1']),
  );
});

test('routes that have lost a next hop stay with the group that has, until it comes back', async () => {
  const { kernel, down, start } = await router();
  const fib = await start();
  await fib.apply(batch({ '10.8.0.0/24': 2, '10.9.0.0/24': 2 }, true));
  await fib.apply(noIpv6);
  down.add('eth1');
  await kernel.links.set('eth1', { up: false });
  await fib.linksChanged();
  kernel.operations.length = 0;
  // The speaker has heard of it, too, and takes the next hop from one route after the other.
  await fib.apply(batch({ '10.8.0.0/24': 4 }));
  await fib.apply(batch({ '10.9.0.0/24': 4 }));
  await fib.resync();
  expect(kernel.operations).toEqual([]);
  const again = await start();
  await again.apply(batch({ '10.8.0.0/24': 4, '10.9.0.0/24': 4 }, true));
  expect(kernel.operations).toEqual([]);
  down.clear();
  await kernel.links.set('eth1', { up: true });
  for (const each of [fib, again]) {
    await each.linksChanged();
    expect(await table(kernel)).toEqual(['10.8.0.0/24 10.2.0.1', '10.9.0.0/24 10.2.0.1']);
  }
  await again.apply(batch({ '10.8.0.0/24': 2 }));
  expect(await table(kernel)).toEqual(['10.8.0.0/24 10.1.0.1+10.2.0.1', '10.9.0.0/24 10.2.0.1']);
  await again.apply(batch({ '10.9.0.0/24': 2 }));
  await again.apply(noIpv6);
  await again.resync();
  expect(await kernel.nextHopObjects.list()).toHaveLength(3);
});

test('a link event does not wait for routes that are being written', async () => {
  const { kernel, down, start } = await router();
  const fib = await start();
  const prefixes = Array.from({ length: 2000 }, (_, i) => `10.${64 + (i >> 8)}.${i & 255}.0/24`);
  await fib.apply(batch({ '10.9.0.0/24': 2 }));
  kernel.operations.length = 0;
  const written = fib.apply(batch(Object.fromEntries(prefixes.map((prefix) => [prefix, 2]))));
  down.add('eth1');
  // The kernel has not noticed: the group is ours to write.
  await fib.linksChanged();
  await written;
  const at = kernel.operations.indexOf('replace next-hop object 86002');
  expect(at).toBeGreaterThanOrEqual(0);
  expect(at).toBeLessThan(prefixes.length / 2);
});

test('whatever comes in whatever order, in the end the kernel has what is wanted and can be reached', async () => {
  const texts = ['10.8.0.0/24', '10.9.0.0/24', '10.10.0.0/16', '0.0.0.0/0'];
  const step = fc.oneof(
    fc.record({
      do: fc.constant('apply' as const),
      routes: fc.dictionary(fc.constantFrom(...texts), fc.integer({ min: 0, max: 4 })),
      ends: fc.boolean(),
    }),
    fc.record({ do: fc.constant('link' as const), device: fc.constantFrom('eth1', 'eth2') }),
    fc.record({ do: fc.constantFrom('resync' as const, 'restart' as const, 'tamper' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const { kernel, down, start } = await router();
      const wanted = new Map<string, number>();
      let fib = await start();
      const waits: Promise<unknown>[] = [];
      for (const each of steps) {
        if (each.do === 'apply') {
          for (const [text, set] of Object.entries(each.routes)) wanted.set(text, set);
          waits.push(fib.apply(batch(each.routes, each.ends)));
        } else if (each.do === 'link') {
          const isDown = !down.delete(each.device);
          if (isDown) down.add(each.device);
          await kernel.links.set(each.device, { up: !isDown });
          waits.push(fib.linksChanged());
        } else if (each.do === 'restart') {
          await Promise.all(waits);
          fib = await start();
          waits.push(fib.apply(batch(Object.fromEntries(wanted))));
        } else {
          if (each.do === 'tamper') {
            await kernel.routes.remove(await kernel.routes.list('ipv4', PROTOCOL.bgp));
          }
          waits.push(fib.resync());
        }
      }
      await Promise.all([...waits, fib.apply(noIpv6), fib.apply(batch({}, true))]);
      const reachable = SETS.map(({ id, nextHops }) => {
        const usable = nextHops.filter(({ device }) => !down.has(device));
        return [
          id,
          nextHops.length === 0 ? '' : usable.map((hop) => hop.address).join('+'),
        ] as const;
      });
      const targets = new Map(reachable);
      const lines = [...wanted].flatMap(([text, set]) => {
        const target = targets.get(set);
        if (target === undefined || (target === '' && set !== 3)) return [];
        return [`${text} ${target}`.trimEnd()];
      });
      expect(await table(kernel)).toEqual(lines.toSorted());
      await fib.resync();
      kernel.operations.length = 0;
      await fib.resync();
      expect(kernel.operations).toEqual([]);
    }),
    { numRuns: process.env.OVERLAND_SOAK ? 10_000 : 200 },
  );
});

test('what somebody else does to our routes is undone, his own are left alone', async () => {
  const { kernel, start } = await router();
  const fib = await start();
  await fib.apply(batch({ '10.8.0.0/24': 1 }, true));
  const [ours] = await kernel.routes.list('ipv4', PROTOCOL.bgp);
  const foreign = {
    destination: parsePrefix('10.7.0.0/24'),
    metric: 20,
    protocol: 4,
    target: { type: 'gateway', nextHop: B },
  } as const;
  const stray = { ...foreign, destination: parsePrefix('10.6.0.0/24'), protocol: PROTOCOL.bgp };
  await kernel.routes.remove(ours ? [ours] : []);
  await kernel.routes.replace([foreign, stray]);
  await fib.resync();
  expect(await table(kernel)).toEqual(['10.8.0.0/24 10.1.0.1']);
  expect(await kernel.routes.list('ipv4', 4)).toHaveLength(1);
});

test('what the kernel refuses is tried again', async () => {
  const { kernel, start } = await router();
  const fib = await start();
  const arrived = vi.fn();
  fib.onArrived = arrived;
  expect(await fib.apply(batch({ '10.7.0.0/24': 1 }))).toEqual([]);
  kernel.refuse = (operation) => (operation.includes('route') ? 'ENOBUFS' : undefined);
  const missing = await fib.apply(batch({ '10.7.0.0/24': 2, '10.8.0.0/24': 1, '10.9.0.0/24': 1 }));
  // The first one still is as it was: packets go some way.
  expect(missing).toEqual(['10.8.0.0/24', '10.9.0.0/24']);
  expect(await table(kernel)).toEqual(['10.7.0.0/24 10.1.0.1']);
  await fib.apply(batch({ '10.9.0.0/24': 0 }));
  kernel.refuse = () => undefined;
  await fib.resync();
  expect(await table(kernel)).toEqual(['10.7.0.0/24 10.1.0.1+10.2.0.1', '10.8.0.0/24 10.1.0.1']);
  expect(arrived.mock.calls).toEqual([[['10.8.0.0/24']]]);
  await fib.resync();
  expect(arrived).toHaveBeenCalledTimes(1);
});

test('what is to be dropped is a blackhole, found again after a restart, and goes with its route', async () => {
  const { kernel, start } = await router();
  const fib = await start();
  await fib.apply(batch({ '10.64.0.0/12': 3, '10.65.0.0/26': 1 }, true));
  const blackholes = async (): Promise<string[]> =>
    (await kernel.routes.list('ipv4', PROTOCOL.bgp))
      .filter(({ target }) => target.type === 'blackhole')
      .map(({ destination }) => destination);
  expect(await blackholes()).toEqual(['10.64.0.0/12']);
  const again = await start();
  await again.apply(noIpv6);
  await again.apply(batch({ '10.64.0.0/12': 3, '10.65.0.0/26': 1 }, true));
  expect(kernel.operations).toEqual([]);
  await again.apply(batch({ '10.64.0.0/12': 1 }));
  expect(await blackholes()).toEqual([]);
  await again.apply(batch({ '10.64.0.0/12': 3 }));
  await again.apply(batch({ '10.64.0.0/12': 0 }));
  expect(await kernel.routes.list('ipv4', PROTOCOL.bgp)).toHaveLength(1);
});
