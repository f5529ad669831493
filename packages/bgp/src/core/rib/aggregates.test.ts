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
import type { AggregateConfig, SpeakerConfig } from '../config.ts';

const FEEDER = peerConfig('10.1.1.1', 65001);
const RECEIVER = 9;

const aggregate = (prefix: string, change: Partial<AggregateConfig> = {}): AggregateConfig => ({
  prefix: parsePrefix(prefix),
  summaryOnly: false,
  ...change,
});

/** A router with a feeder and a receiver, both eBGP. */
class World {
  readonly dut: Speaker;
  readonly receiver = new Speaker(speakerConfig(65999));
  #config: SpeakerConfig;

  constructor(aggregates: readonly AggregateConfig[], originate: readonly string[] = []) {
    this.#config = speakerConfig(65000, { aggregates, originate, peers: [FEEDER] });
    this.dut = new Speaker(this.#config);
    this.links(true);
    this.receiver.engine.setInterfaces([link('eth0', ['10.9.0.9/24', 'fd09::9/64'])]);
    for (const { engine } of [this.dut, this.receiver]) engine.endDeferral();
    const feeder = new Speaker(speakerConfig(65001));
    connect(
      { speaker: this.dut, asn: 65000, address: '10.1.1.254', peer: 1 },
      { speaker: feeder, asn: 65001, address: '10.1.1.1', peer: 0 },
    );
    this.dut.unplug(1);
    connect(
      { speaker: this.dut, asn: 65000, address: '10.9.0.254', peer: RECEIVER },
      { speaker: this.receiver, asn: 65999, address: '10.9.0.9', peer: 0 },
    );
  }

  links(isUsable: boolean): void {
    this.dut.engine.setInterfaces([
      link('eth1', ['10.1.1.254/24', 'fd01::fe/64'], isUsable),
      link('eth9', ['10.9.0.254/24', 'fd09::fe/64']),
    ]);
  }

  announce(prefixes: readonly string[], origin: 0 | 1 | 2 = 0): void {
    const isIpv6 = prefixes[0]?.includes(':');
    const nextHop = isIpv6 ? 'fd01::1' : '10.1.1.1';
    this.dut.engine.receiveUpdate(
      1,
      updateOctets({ announce: prefixes, nextHop, asPath: [65001, 65002], origin }),
    );
  }

  withdraw(prefixes: readonly string[]): void {
    this.dut.engine.receiveUpdate(1, updateOctets({ withdraw: prefixes }));
  }

  configure(aggregates: readonly AggregateConfig[]): void {
    this.#config = { ...this.#config, aggregates };
    this.dut.engine.configure(this.#config);
  }

  /** What the receiver has: prefix, AS_PATH, ORIGIN, communities. */
  received(family: 'ipv4' | 'ipv6' = 'ipv4'): string[] {
    settle(this.dut, this.receiver);
    return this.receiver
      .routes(family)
      .flatMap(({ prefix, paths }) =>
        paths.map(({ asPath, origin, communities }) =>
          [prefix, ...asPath, origin, ...communities].join(' '),
        ),
      );
  }

  kernel(): string[] {
    settle(this.dut, this.receiver);
    return [...this.dut.kernel.routes]
      .map(([prefix, via]) => `${prefix} ${via || 'dropped'}`)
      .sort();
  }
}

describe('an aggregate', () => {
  test('is there as long as something inside it is, with our AS number alone in its AS_PATH', () => {
    const world = new World([aggregate('10.64.0.0/12')]);
    expect(world.received()).toEqual([]);
    world.announce(['10.65.0.0/26', '10.66.0.0/26']);
    expect(world.received()).toEqual([
      '10.64.0.0/12 65000 igp',
      '10.65.0.0/26 65000 65001 65002 igp',
      '10.66.0.0/26 65000 65001 65002 igp',
    ]);
    world.withdraw(['10.65.0.0/26']);
    expect(world.received()).toHaveLength(2);
    world.withdraw(['10.66.0.0/26']);
    expect(world.received()).toEqual([]);
  });

  test('is dropped by the kernel where it has nothing longer', () => {
    const world = new World([aggregate('10.64.0.0/12')], ['10.70.0.0/26']);
    world.announce(['10.65.0.0/26']);
    expect(world.kernel()).toEqual(['10.64.0.0/12 dropped', '10.65.0.0/26 10.1.1.1@eth1']);
    world.links(false);
    // What we originate ourselves is enough for it, and routed by others.
    expect(world.kernel()).toEqual(['10.64.0.0/12 dropped']);
  });

  test('of summaryOnly is all that peers are sent, whole again when it is gone', () => {
    const world = new World([aggregate('10.64.0.0/12', { summaryOnly: true })]);
    world.announce(['10.65.0.0/26', '10.90.0.0/26']);
    expect(world.received()).toEqual([
      '10.64.0.0/12 65000 igp',
      '10.90.0.0/26 65000 65001 65002 igp',
    ]);
    world.configure([]);
    expect(world.received()).toEqual([
      '10.65.0.0/26 65000 65001 65002 igp',
      '10.90.0.0/26 65000 65001 65002 igp',
    ]);
    world.configure([aggregate('10.64.0.0/12', { summaryOnly: true, communities: ['65000:1'] })]);
    expect(world.received()).toEqual([
      '10.64.0.0/12 65000 igp 65000:1',
      '10.90.0.0/26 65000 65001 65002 igp',
    ]);
  });

  test('has the worst ORIGIN of what is inside it', () => {
    const world = new World([aggregate('10.64.0.0/12', { summaryOnly: true })]);
    world.announce(['10.65.0.0/26'], 1);
    expect(world.received()).toEqual(['10.64.0.0/12 65000 egp']);
    world.announce(['10.66.0.0/26'], 2);
    expect(world.received()).toEqual(['10.64.0.0/12 65000 incomplete']);
    world.withdraw(['10.66.0.0/26']);
    expect(world.received()).toEqual(['10.64.0.0/12 65000 egp']);
  });

  test('is no contributor of a wider one, nor is its own prefix from a peer', () => {
    const world = new World([aggregate('10.64.0.0/12'), aggregate('10.65.0.0/16')]);
    world.announce(['10.65.0.0/16']);
    expect(world.received()).toEqual(['10.65.0.0/16 65000 65001 65002 igp']);
    world.announce(['10.65.1.0/26']);
    expect(world.received().map((text) => text.split(' ')[0])).toEqual([
      '10.64.0.0/12',
      '10.65.0.0/16',
      '10.65.1.0/26',
    ]);
  });

  test('of IPv6, configured when its contributors are there already', () => {
    const world = new World([]);
    world.announce(['fd00:65:1::/64', 'fd00:65:2::/64']);
    expect(world.received('ipv6')).toHaveLength(2);
    world.configure([aggregate('fd00:65::/32', { summaryOnly: true })]);
    expect(world.received('ipv6')).toEqual(['fd00:65::/32 65000 igp']);
  });
});

test('whatever happens, aggregates and what they hide are what a look at everything gives', () => {
  const names = [
    '10.64.0.0/12',
    '10.65.0.0/16',
    '10.65.0.0/24',
    '10.65.0.0/26',
    '10.66.0.0/26',
    '0.0.0.0/0',
  ];
  const some = fc.subarray(names, { minLength: 1 });
  const config = fc
    .subarray(names.slice(0, 3))
    .chain((prefixes) =>
      fc.tuple(
        ...prefixes.map((prefix) =>
          fc.boolean().map((summaryOnly) => aggregate(prefix, { summaryOnly })),
        ),
      ),
    );
  const act = fc.oneof(
    some.map((prefixes) => ({ type: 'announce' as const, prefixes })),
    some.map((prefixes) => ({ type: 'withdraw' as const, prefixes })),
    config.map((aggregates) => ({ type: 'configure' as const, aggregates })),
    fc.boolean().map((isUsable) => ({ type: 'links' as const, isUsable })),
    fc.nat(5).map((units) => ({ type: 'step' as const, units })),
  );
  const length = (prefix: string): number => Number(prefix.split('/')[1]);
  const inside = (prefix: string, outer: string): boolean =>
    length(outer) < length(prefix) &&
    outer !== '0.0.0.0/0' &&
    prefix.startsWith(outer.startsWith('10.64') ? '10.6' : '10.65');
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40, size: 'max' }), (acts) => {
      const world = new World([]);
      const held = new Set<string>();
      let [aggregates, isUsable]: [readonly AggregateConfig[], boolean] = [[], true];
      for (const one of acts) {
        if (one.type === 'announce') {
          for (const prefix of one.prefixes) held.add(prefix);
          world.announce(one.prefixes);
        } else if (one.type === 'withdraw') {
          for (const prefix of one.prefixes) held.delete(prefix);
          world.withdraw(one.prefixes);
        } else if (one.type === 'configure') {
          aggregates = one.aggregates;
          world.configure(aggregates);
        } else if (one.type === 'links') {
          isUsable = one.isUsable;
          world.links(isUsable);
        } else world.dut.engine.step(one.units);
      }
      const routes = isUsable ? [...held] : [];
      const own = aggregates.map(({ prefix }) => prefix as string);
      const present = aggregates.filter(({ prefix }) =>
        routes.some((route) => !own.includes(route) && inside(route, prefix)),
      );
      const all = new Set([...routes, ...present.map(({ prefix }) => prefix as string)]);
      const sent = [...all].filter(
        (prefix) => !present.some((outer) => outer.summaryOnly && inside(prefix, outer.prefix)),
      );
      expect(
        world
          .received()
          .map((text) => text.split(' ')[0])
          .sort(),
      ).toEqual(sent.sort());
      const dropped = world.kernel().filter((text) => text.endsWith('dropped'));
      expect(dropped).toEqual(present.map(({ prefix }) => `${prefix} dropped`).sort());
    }),
    { numRuns: 200 },
  );
});
