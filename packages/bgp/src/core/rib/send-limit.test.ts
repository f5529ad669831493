import { parsePrefix } from '@overland/net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  connect,
  link,
  peerConfig,
  Speaker,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';
import type { PeerConfig } from '../index.ts';

const ASN = 65000;
const RECEIVER = 9;
const FAMILIES = ['ipv4', 'ipv6'] as const;
type Family = (typeof FAMILIES)[number];
const LINKS = {
  ipv4: { subnet: (n: number) => `10.0.${n}.`, length: 24 },
  ipv6: { subnet: (n: number) => `fd00:0:0:${n}::`, length: 64 },
} as const;
const prefixOf = (family: Family, i: number): string =>
  family === 'ipv4' ? `10.9.${i}.0/24` : `fd00:9:0:${i + 1}::/64`;

/** A router with two feeders, and a receiver that may have so many prefixes, or paths, from it. */
class World {
  readonly dut: Speaker;
  readonly receiver = new Speaker(speakerConfig(65009, { routerId: '192.0.2.9' as never }));
  /** By feeder: prefix → length of its AS path. */
  readonly fed = new Map<number, Map<string, number>>([1, 2].map((n) => [n, new Map()]));
  readonly #family: Family;
  readonly #withPaths: boolean;
  #most: number | undefined;

  constructor(family: Family, withPaths: boolean, most: number | undefined) {
    this.#family = family;
    this.#withPaths = withPaths;
    this.#most = most;
    this.dut = new Speaker(this.#config());
    this.dut.engine.setInterfaces(
      [1, 2, 9].map((n) => link(`eth${n}`, [this.#address(n, 254, true)])),
    );
    this.receiver.engine.setInterfaces([link('eth9', [this.#address(9, 9, true)])]);
    for (const { engine } of [this.dut, this.receiver]) engine.endDeferral();
    for (const n of this.fed.keys()) {
      const feeder = new Speaker(speakerConfig(65000 + n));
      connect(
        { speaker: this.dut, asn: ASN, address: this.#address(n, 254), peer: n },
        { speaker: feeder, asn: 65000 + n, address: this.#address(n, n), peer: 0 },
      );
    }
    const families = [family];
    connect(
      {
        speaker: this.dut,
        asn: ASN,
        address: this.#address(9, 254),
        peer: RECEIVER,
        config: this.#told(),
      },
      {
        speaker: this.receiver,
        asn: 65009,
        address: this.#address(9, 9),
        peer: 0,
        config: { families },
      },
      withPaths ? { addPath: { receive: families, send: families } } : {},
    );
    this.dut.plug(RECEIVER, (message) => {
      const before = this.had;
      expect(this.receiver.engine.receiveUpdate(0, message.subarray(19))).toBeUndefined();
      expect(this.had).toBeLessThanOrEqual(
        Math.max(this.#most ?? Number.POSITIVE_INFINITY, before),
      );
    });
  }

  get had(): number {
    return this.receiver.engine.received(0, this.#family);
  }

  feed(n: number, announce: readonly number[], hops: number): void {
    const prefixes = announce.map((i) => prefixOf(this.#family, i));
    const asPath = Array.from({ length: hops }, (_, i) => (i === 0 ? 65000 + n : 65100));
    const nextHop = this.#address(n, n);
    for (const prefix of prefixes) this.fed.get(n)?.set(prefix, hops);
    this.#take(n, { announce: prefixes, asPath, nextHop });
  }

  withdraw(n: number, gone: readonly number[]): void {
    const prefixes = gone.map((i) => prefixOf(this.#family, i));
    for (const prefix of prefixes) this.fed.get(n)?.delete(prefix);
    this.#take(n, { withdraw: prefixes });
  }

  limit(most: number | undefined): void {
    this.#most = most;
    this.dut.engine.configure(this.#config());
  }

  settle(): void {
    settle(this.dut, this.receiver);
  }

  /** The receiver has as much as it may, and of each prefix what it should. */
  check(): void {
    this.settle();
    const best = new Map<string, number>();
    let paths = 0;
    for (const table of this.fed.values()) {
      paths += table.size;
      for (const [prefix, hops] of table)
        best.set(prefix, Math.min(hops, best.get(prefix) ?? hops));
    }
    const wanted = this.#withPaths ? paths : best.size;
    const { sent, heldBack } = this.dut.engine.counters(RECEIVER);
    const most = this.#most ?? wanted;
    expect([this.had, sent[this.#family]]).toEqual(Array(2).fill(Math.min(wanted, most)));
    expect(heldBack[this.#family]).toBe(Math.max(0, wanted - most));
    if (this.#withPaths) return;
    for (const { prefix, paths: held } of this.receiver.routes(this.#family)) {
      expect([prefix, held[0]?.asPath.length]).toEqual([prefix, 1 + (best.get(prefix) ?? 0)]);
    }
  }

  #take(n: number, update: Parameters<typeof updateOctets>[0]): void {
    expect(this.dut.engine.receiveUpdate(n, updateOctets(update))).toBeUndefined();
  }

  #told(): Partial<PeerConfig> {
    const most = this.#most;
    return {
      families: [this.#family],
      ...(this.#withPaths && { addPath: { receive: false, send: 'all' } }),
      ...(most !== undefined && { maxAdvertised: { [this.#family]: most } }),
    };
  }

  #config() {
    const receiver = peerConfig(this.#address(9, 9), 65009, this.#told());
    const feeders = [1, 2].map((n) => peerConfig(this.#address(n, n), 65000 + n));
    return speakerConfig(ASN, { peers: [...feeders, receiver] });
  }

  #address(n: number, host: number, withLength = false): string {
    const { subnet, length } = LINKS[this.#family];
    return `${subnet(n)}${host}${withLength ? `/${length}` : ''}`;
  }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

describe.each(FAMILIES)('%s', (family) => {
  test('what is above the limit waits, and follows when there is room', () => {
    const world = new World(family, false, 3);
    world.feed(1, range(0, 5), 1);
    world.check();
    world.withdraw(1, [0, 1]);
    world.check();
    world.limit(2);
    world.check();
    world.limit(undefined);
    world.check();
    expect(world.had).toBe(3);
  });

  test('a change of what the peer has is told, and takes nobody else’s place', () => {
    const world = new World(family, false, 2);
    world.feed(1, range(0, 4), 3);
    world.settle();
    const before = world.receiver.routes(family).map(({ prefix }) => prefix);
    world.feed(2, range(0, 4), 1);
    world.check();
    expect(world.receiver.routes(family).map(({ prefix }) => prefix)).toEqual(before);
  });

  test('the peer is told why it has no route of a prefix', () => {
    const world = new World(family, false, 1);
    world.feed(1, range(0, 2), 1);
    world.settle();
    const refusals = range(0, 2).map((i) => {
      const prefix = { prefix: parsePrefix(prefixOf(family, i)), match: 'exact' } as const;
      return world.dut.engine.explain({ prefix, to: RECEIVER }).export?.refusal;
    });
    expect(new Set(refusals)).toEqual(new Set([null, 'send-limit']));
  });
});

const prefixes = fc.uniqueArray(fc.nat({ max: 11 }), { minLength: 1, maxLength: 8 });
const feeder = fc.constantFrom(1, 2);
const action = fc.oneof(
  fc.record({
    do: fc.constant('feed' as const),
    n: feeder,
    prefixes,
    hops: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ do: fc.constant('withdraw' as const), n: feeder, prefixes }),
  fc.record({
    do: fc.constant('limit' as const),
    most: fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined }),
  }),
  fc.record({ do: fc.constant('refresh' as const) }),
  fc.record({ do: fc.constant('check' as const) }),
);

test.each([
  ['prefixes', false],
  ['paths', true],
])(
  '%s: never more than the limit, never fewer than there may be, whatever comes in between',
  (_, withPaths) => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FAMILIES),
        fc.integer({ min: 1, max: 14 }),
        fc.array(action, { maxLength: 30 }),
        (family, most, actions) => {
          const world = new World(family, withPaths, most);
          for (const each of actions) {
            if (each.do === 'feed') world.feed(each.n, each.prefixes, each.hops);
            else if (each.do === 'withdraw') world.withdraw(each.n, each.prefixes);
            else if (each.do === 'limit') world.limit(each.most);
            else if (each.do === 'refresh') world.dut.engine.refresh(RECEIVER, family);
            else world.check();
            world.dut.engine.step(3);
          }
          world.check();
        },
      ),
      { numRuns: 150 },
    );
  },
);
