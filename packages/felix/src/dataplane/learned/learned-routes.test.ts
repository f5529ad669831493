import { PROTOCOL, type Route } from '@overland/linux';
import { familyOf, parsePrefix } from '@overland/net';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import {
  type FakeHost,
  fakeHost,
  forwarding,
  localState,
  objects,
  offer,
  SETS,
  shareText,
  type Wanted,
} from '../../../test/fake-host.ts';
import type { Dataplane } from '../dataplane.ts';

const PREFIXES = ['10.65.0.0/26', '10.65.1.0/26', '0.0.0.0/0', 'fd00:65::/122', 'fd00:66::/64'];
const STATIC = 4;

interface World {
  wanted: Wanted;
  readonly down: Set<string>;
  readonly foreign: Set<string>;
}

/** What the kernel should hold, worked out from the world alone. */
function expected({ wanted, down, foreign }: World): string[] {
  return Object.entries(wanted)
    .flatMap(([prefix, number]) => {
      const family = familyOf(prefix);
      const set = SETS[family].find(({ id }) => id === number);
      if (set?.nextHops.length === 0 && !foreign.has(prefix)) {
        return [`${prefix} metric 1024 src - to {"type":"blackhole"}`];
      }
      const paths = (set?.nextHops ?? []).filter(({ device }) => !down.has(device));
      if (paths.length === 0 || foreign.has(prefix)) return [];
      const to = paths
        .map(({ address, device, weight }) => `${address}@${device}${shareText(weight)}`)
        .toSorted();
      const source = family === 'ipv4' ? '10.0.0.11' : '-';
      return [`${prefix} metric 1024 src ${source} to ${to.join(' ')}`];
    })
    .toSorted();
}

/** The next-hop objects that the wanted sets need: no more, no less. */
function expectedObjects({ wanted, down }: World): string[] {
  const lines = Object.entries(wanted).flatMap(([prefix, number]) => {
    const set = SETS[familyOf(prefix)].find(({ id }) => id === number);
    const usable = (set?.nextHops ?? []).filter(({ device }) => !down.has(device));
    const paths = usable.map(({ address, device }) => `${address}@${device}`);
    const members = usable.map(({ weight }, i) => `${paths[i]}${shareText(weight)}`);
    const isGroup = (set?.nextHops.length ?? 0) > 1 && paths.length > 0;
    return isGroup ? [...paths, `group ${members.join(' ')}`] : paths;
  });
  return [...new Set(lines)].toSorted();
}

type Step =
  | { readonly type: 'offer'; readonly wanted: Wanted }
  | { readonly type: 'link'; readonly number: number; readonly up: boolean }
  | { readonly type: 'delete' | 'foreign' | 'no-foreign' | 'alter'; readonly prefix: string }
  | { readonly type: 'delete-objects' | 'overrun' | 'restart' };

const prefix = fc.constantFrom(...PREFIXES);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('offer' as const),
    wanted: fc.dictionary(prefix, fc.integer({ min: 1, max: 5 })),
  }),
  fc.record({
    type: fc.constant('link' as const),
    number: fc.integer({ min: 1, max: 2 }),
    up: fc.boolean(),
  }),
  fc.record({
    type: fc.constantFrom(
      'delete' as const,
      'foreign' as const,
      'no-foreign' as const,
      'alter' as const,
    ),
    prefix,
  }),
  fc.record({
    type: fc.constantFrom('delete-objects' as const, 'overrun' as const, 'restart' as const),
  }),
);

const route = (text: string, protocol: number): Route => ({
  destination: parsePrefix(text),
  metric: 1024,
  protocol,
  target: { type: 'blackhole' },
});

/** Does the step to the kernel and notes it in the world. */
async function play(
  world: World,
  host: FakeHost,
  dataplane: Dataplane,
  { ...step }: Step,
): Promise<void> {
  const { kernel, router } = host;
  switch (step.type) {
    case 'offer': {
      const gone = Object.keys(world.wanted).filter((text) => !(text in step.wanted));
      world.wanted = step.wanted;
      await offer(dataplane, {
        ...step.wanted,
        ...Object.fromEntries(gone.map((text) => [text, 0])),
      });
      break;
    }
    case 'link':
      await router.links.set(`port${step.number}`, { up: step.up });
      if (step.up) world.down.delete(`eth${step.number}`);
      else world.down.add(`eth${step.number}`);
      break;
    case 'delete':
      await kernel.routes.remove([route(step.prefix, PROTOCOL.bgp)]);
      break;
    case 'alter':
      if (!world.foreign.has(step.prefix))
        await kernel.routes.replace([route(step.prefix, PROTOCOL.bgp)]);
      break;
    case 'foreign':
      await kernel.routes.replace([route(step.prefix, STATIC)]);
      world.foreign.add(step.prefix);
      break;
    case 'no-foreign':
      await kernel.routes.remove([route(step.prefix, STATIC)]);
      world.foreign.delete(step.prefix);
      break;
    case 'delete-objects': {
      const objects = await kernel.nextHopObjects.list(PROTOCOL.bgp);
      await kernel.nextHopObjects.remove(objects.map(({ id }) => id));
      break;
    }
    case 'overrun':
      kernel.overrun();
      break;
    case 'restart':
  }
}

async function startWith(host: FakeHost, world: World): Promise<Dataplane> {
  const dataplane = host.start();
  dataplane.setLocalState(localState({}));
  await offer(dataplane, world.wanted);
  return dataplane;
}

const settled = (host: FakeHost, world: World) =>
  vi.waitFor(
    async () => {
      expect(await forwarding(host.kernel)).toEqual(expected(world));
      expect(await objects(host.kernel)).toEqual(expectedObjects(world));
    },
    { timeout: 2000, interval: 2 },
  );

test('from any state to any state, and a restart after it writes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, patient) => {
      const host = await fakeHost();
      const world: World = { wanted: {}, down: new Set(), foreign: new Set() };
      let dataplane = await startWith(host, world);
      for (const next of steps) {
        await play(world, host, dataplane, next);
        if (patient) await settled(host, world);
        if (next.type !== 'restart') continue;
        await dataplane[Symbol.asyncDispose]();
        dataplane = await startWith(host, world);
      }
      await settled(host, world);
      // Others' routes are as they were made.
      const foreign = (await forwarding(host.kernel, STATIC)).map((line) => line.split(' ')[0]);
      expect(foreign).toEqual([...world.foreign].toSorted());
      await dataplane[Symbol.asyncDispose]();

      host.kernel.operations.length = 0;
      const before = await host.kernel.nextHopObjects.list();
      await using again = await startWith(host, world);
      await vi.waitFor(() => expect(again.status().local.routes.wanted).toBe(0));
      expect(host.kernel.operations).toEqual([]);
      expect(await host.kernel.nextHopObjects.list()).toEqual(before);
    }),
    { numRuns: Number(process.env.FC_RUNS ?? 60) },
  );
}, 60_000);

test('one refused route does not stop the others, and is tried again', async () => {
  const host = await fakeHost();
  host.kernel.refuse = (operation) => (operation.includes('10.65.0.0/26') ? 'ENOMEM' : undefined);
  await using dataplane = await startWith(host, {
    wanted: { '10.65.0.0/26': 1, '10.65.1.0/26': 1 },
    down: new Set(),
    foreign: new Set(),
  });
  expect(await forwarding(host.kernel)).toHaveLength(1);
  expect(dataplane.status().failures).toEqual([
    { what: 'route 10.65.0.0/26', attempts: expect.any(Number), reason: 'ENOMEM' },
  ]);
  host.kernel.refuse = () => undefined;
  await vi.waitFor(async () => expect(await forwarding(host.kernel)).toHaveLength(2));
  expect(dataplane.status().failureCount).toBe(0);
});

test('no route is written before the first local state', async () => {
  const host = await fakeHost();
  await using dataplane = host.start();
  const applied = offer(dataplane, { '10.65.0.0/26': 1 });
  await vi.waitFor(() => expect(host.nftables.content.size).toBe(1));
  expect(host.kernel.operations).toEqual([]);
  dataplane.setLocalState(localState({}));
  await applied;
  expect(await forwarding(host.kernel)).toHaveLength(1);
});

test('a lost link costs messages per group, not per route', async () => {
  const host = await fakeHost();
  const wanted = Object.fromEntries(
    Array.from({ length: 1000 }, (_, i) => [`10.65.${i >> 2}.${(i & 3) * 64}/26`, 1]),
  );
  await using dataplane = await startWith(host, { wanted, down: new Set(), foreign: new Set() });
  host.kernel.operations.length = 0;
  await host.router.links.set('port2', { up: false });
  await vi.waitFor(() => expect(dataplane.status().nextHopObjects).toBe(2));
  await host.router.links.set('port2', { up: true });
  await vi.waitFor(() => expect(dataplane.status().nextHopObjects).toBe(3));
  expect(host.kernel.operations.length).toBeLessThanOrEqual(10);
  expect(dataplane.status().learned.ipv4.programmed).toBe(1000);
});
