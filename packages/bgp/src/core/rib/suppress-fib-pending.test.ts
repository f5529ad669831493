import { parsePrefix, type RouteBatch, unpackRoutes } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connect, link, Speaker, speakerConfig } from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';

const LISTENER = 1;
const prefixOf = (i: number): string => `10.9.${i}.0/24`;

/** A router that hears of routes (10.1.0.2) and tells them on (10.2.0.2), and a kernel that answers when the test says so. */
class World {
  readonly router = new Speaker(this.config(true));
  readonly listener = new Speaker(speakerConfig(65003));
  readonly kernel = new Set<string>();
  readonly #withPaths: boolean;
  readonly #onTheirWay: RouteBatch[] = [];

  constructor(withPaths = false) {
    this.#withPaths = withPaths;
    const { router, listener } = this;
    router.engine.setInterfaces([link('eth0', ['10.1.0.1/24']), link('eth1', ['10.2.0.1/24'])]);
    listener.engine.setInterfaces([link('eth0', ['10.2.0.2/24'])]);
    for (const { engine } of [router, listener]) engine.endDeferral();
    const feeder = new Speaker(speakerConfig(65002));
    connect(
      { speaker: router, asn: 65001, address: '10.1.0.1', peer: 0 },
      { speaker: feeder, asn: 65002, address: '10.1.0.2', peer: 0 },
    );
  }

  connectListener(): void {
    const families = ['ipv4'] as const;
    const near = { speaker: this.router, asn: 65001, address: '10.2.0.1', peer: LISTENER };
    connect(
      this.#withPaths ? { ...near, config: { addPath: { receive: false, send: 'all' } } } : near,
      { speaker: this.listener, asn: 65003, address: '10.2.0.2', peer: 0 },
      this.#withPaths ? { addPath: { receive: families, send: families } } : {},
    );
    this.run();
  }

  config(suppressFibPending: boolean, originate: readonly string[] = []) {
    return speakerConfig(65001, { suppressFibPending, originate: originate.map(parsePrefix) });
  }

  /** Prefixes that the listener has. */
  get told(): string[] {
    return this.listener.routes('ipv4').map(({ prefix }) => prefix);
  }

  get hasEndOfRib(): boolean {
    return this.listener.engine.endOfRibReceived(0).includes('ipv4');
  }

  feed(update: { announce?: readonly string[]; withdraw?: readonly string[] }): void {
    const path = { nextHop: '10.1.0.2', asPath: [65002] };
    const octets = updateOctets({ ...path, ...update });
    expect(this.router.engine.receiveUpdate(0, octets)).toBeUndefined();
    this.run();
  }

  /** Everything but the kernel. */
  run(): void {
    while (this.router.engine.step(64));
    for (let sent = this.router.message(LISTENER); sent; sent = this.router.message(LISTENER)) {
      expect(this.listener.engine.receiveUpdate(0, sent.subarray(19))).toBeUndefined();
    }
    while (this.listener.engine.step(64));
  }

  /** A batch leaves for the kernel, if there is one. */
  take(): void {
    const batch = this.router.engine.nextRouteBatch(2);
    if (batch) this.#onTheirWay.push(batch);
  }

  /** The kernel answers for the oldest batch. @param refused What it does not take. */
  answer(refused: readonly string[] = []): void {
    const batch = this.#onTheirWay.shift();
    if (!batch) return;
    const missing: string[] = [];
    for (const { prefix, nextHopSet } of unpackRoutes(batch)) {
      if (nextHopSet === 0) this.kernel.delete(prefix);
      else if (!refused.includes(prefix)) this.kernel.add(prefix);
      else if (!this.kernel.has(prefix)) missing.push(prefix);
    }
    this.router.engine.routesApplied(batch.sequence, missing.map(parsePrefix));
    this.run();
  }

  /** Until nothing is left for the kernel. */
  settle(): void {
    for (let round = 0; round < 200; round += 1) {
      this.take();
      this.answer();
    }
  }
}

function connected(withPaths = false): World {
  const world = new World(withPaths);
  world.connectListener();
  return world;
}

test.each([false, true])(
  'a peer hears of a prefix when the kernel has it (several paths: %s)',
  (withPaths) => {
    const world = connected(withPaths);
    world.settle();
    expect(world.hasEndOfRib).toBe(true);
    world.feed({ announce: [prefixOf(1)] });
    expect(world.told).toEqual([]);
    const explained = world.router.engine.explain({
      prefix: { prefix: parsePrefix(prefixOf(1)), match: 'exact' },
      to: LISTENER,
    });
    expect(explained.export).toMatchObject({ state: 'withheld', refusal: 'fib-pending' });
    world.take();
    world.run();
    expect(world.told).toEqual([]);
    world.answer();
    expect(world.told).toEqual([prefixOf(1)]);
    world.feed({ withdraw: [prefixOf(1)] });
    expect(world.told).toEqual([]);
  },
);

test('what the kernel refuses is not told before it is there after all', () => {
  const world = connected();
  world.settle();
  world.feed({ announce: [prefixOf(1), prefixOf(2)] });
  world.take();
  world.answer([prefixOf(2)]);
  expect(world.told).toEqual([prefixOf(1)]);
  world.router.engine.routesArrived([parsePrefix(prefixOf(2)), parsePrefix(prefixOf(3))]);
  world.run();
  expect(world.told).toEqual([prefixOf(1), prefixOf(2)]);
});

test('End-of-RIB waits for the kernel, too: a peer that kept our routes must not drop them before', () => {
  const world = new World();
  world.settle();
  world.feed({ announce: [prefixOf(1)] });
  world.connectListener();
  expect([world.told, world.hasEndOfRib]).toEqual([[], false]);
  world.take();
  world.run();
  expect(world.hasEndOfRib).toBe(false);
  world.answer();
  expect([world.told, world.hasEndOfRib]).toEqual([[prefixOf(1)], true]);
});

test('the switch counts at once, both ways, and what others route needs no kernel', () => {
  const world = connected();
  world.settle();
  world.feed({ announce: [prefixOf(1)] });
  expect(world.told).toEqual([]);
  world.router.engine.configure(world.config(false, ['10.10.0.0/16']));
  world.run();
  expect(world.told).toEqual([prefixOf(1), '10.10.0.0/16']);
  world.router.engine.configure(world.config(true, ['10.10.0.0/16', '10.11.0.0/16']));
  world.feed({ announce: [prefixOf(2)] });
  expect(world.told).toEqual([prefixOf(1), '10.10.0.0/16', '10.11.0.0/16']);
  world.settle();
  expect(world.told).toContain(prefixOf(2));
});

type Act = readonly ['announce' | 'withdraw' | 'take' | 'answer' | 'refuse', number];
const acts = fc.array(
  fc.tuple(
    fc.constantFrom('announce', 'withdraw', 'take', 'answer', 'answer', 'refuse') as fc.Arbitrary<
      Act[0]
    >,
    fc.nat(5),
  ),
  { maxLength: 60 },
);

test.each([false, true])(
  'no peer is ever told what the kernel does not have (several paths: %s)',
  (withPaths) => {
    fc.assert(
      fc.property(acts, (script) => {
        const world = connected(withPaths);
        for (const [act, i] of script) {
          if (act === 'announce') world.feed({ announce: [prefixOf(i)] });
          else if (act === 'withdraw') world.feed({ withdraw: [prefixOf(i)] });
          else if (act === 'take') world.take();
          else world.answer(act === 'refuse' ? [prefixOf(i)] : []);
          for (const prefix of world.told) expect(world.kernel).toContain(prefix);
        }
        world.settle();
        expect(world.told.toSorted()).toEqual([...world.kernel].toSorted());
      }),
      { numRuns: 100 },
    );
  },
);
