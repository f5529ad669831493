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
import { pino } from 'pino';
import { expect, test } from 'vitest';
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
  await fib.resync();
  expect(await table(kernel)).toEqual(['10.9.0.0/24 10.2.0.1']);
  down.clear();
  await kernel.links.set('eth1', { up: true });
  await fib.resync();
  expect(await table(kernel)).toEqual(['10.8.0.0/24 10.1.0.1', '10.9.0.0/24 10.1.0.1+10.2.0.1']);
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
  kernel.refuse = (operation) => (operation.includes('route') ? 'ENOBUFS' : undefined);
  await fib.apply(batch({ '10.8.0.0/24': 1 }));
  expect(await table(kernel)).toEqual([]);
  kernel.refuse = () => undefined;
  await fib.resync();
  expect(await table(kernel)).toEqual(['10.8.0.0/24 10.1.0.1']);
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
