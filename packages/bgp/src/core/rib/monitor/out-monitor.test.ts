import type { Family } from '@overland/net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { link, peerConfig, sessionWith, speakerConfig } from '../../../../test/two-speakers.ts';
import { updateOctets } from '../../../../test/update-octets.ts';
import type { RouteFilter, SpeakerConfig } from '../../index.ts';
import { describeMessage } from '../../wire/describe-message.ts';
import { createRouteEngine } from '../engine.ts';
import type { PeerId, RouteEngine } from '../route-engine.ts';
import { MONITORED_OCTETS, type RibMonitor } from './rib-monitor.ts';

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
/** Peers 0 and 1 feed, 2 takes the best path, 3 takes all of them. */
const ALL_PATHS: PeerId = 3;
/** Addresses and prefixes by their last part; 9 is the speaker's own. */
const PLANS = {
  ipv4: {
    address: (n: number) => `10.0.0.${n}`,
    own: '10.0.0.9/24',
    prefix: (n: number) => `10.${n}.0.0/16`,
    block: '10.65.0.0/26',
    unspecified: '0.0.0.0',
  },
  ipv6: {
    address: (n: number) => `fd00::${n}`,
    own: 'fd00::9/64',
    prefix: (n: number) => `fd00:${n}::/32`,
    block: 'fd00:65::/122',
    unspecified: '::',
  },
} as const;

/** A community. */
const REFUSED = 65_000 * 65_536 + 9;

const filterOf = (med: number): RouteFilter => ({
  name: 'export',
  rules: [
    { match: { communities: { anyOf: ['65000:9'] } }, action: 'reject' },
    { action: 'accept', set: { med } },
  ],
});

function configOf(family: Family, med: number): SpeakerConfig {
  const { address, block } = PLANS[family];
  const peers = [65001, 65002, 65003, 65000].map((asn, i) =>
    peerConfig(address(i + 1), asn, {
      families: [family],
      exportFilters: ['export'],
      ...(i === ALL_PATHS && { addPath: { receive: false, send: 'all' as const } }),
    }),
  );
  return speakerConfig(65000, { peers, filters: [filterOf(med)], originate: [block] });
}

interface Multiprotocol {
  readonly nextHops?: readonly string[];
  readonly prefixes: readonly { readonly prefix: string; readonly pathId?: number }[];
}

/** What somebody makes of UPDATEs: `PEER PREFIX [PATH]`, and with which next hop and MED. */
class Listener {
  readonly routes = new Map<string, string>();
  readonly ended: PeerId[] = [];

  hear(peer: PeerId, message: Uint8Array): void {
    const isIdentified = peer === ALL_PATHS;
    const described = describeMessage(message, {
      fourOctetAs: true,
      ebgp: false,
      families: FAMILIES,
      extended: true,
      ...(isIdentified && { addPath: FAMILIES }),
    });
    const { update } = described;
    if (!update) throw new Error(`no update: ${JSON.stringify(described)}`);
    if (update.endOfRib) this.ended.push(peer);
    const value = (name: string) => update.attributes.find((one) => one.name === name)?.value;
    const keyOf = (one: { prefix: string; pathId?: number }): string =>
      isIdentified ? `${peer} ${one.prefix} ${one.pathId}` : `${peer} ${one.prefix}`;
    const reach = value('MP_REACH_NLRI') as Multiprotocol | undefined;
    const unreach = value('MP_UNREACH_NLRI') as Multiprotocol | undefined;
    for (const one of unreach?.prefixes ?? update.withdrawn) this.routes.delete(keyOf(one));
    const nextHop = reach?.nextHops?.[0] ?? value('NEXT_HOP');
    const text = `via ${String(nextHop)} med ${value('MULTI_EXIT_DISC') ?? '-'}`;
    for (const one of reach?.prefixes ?? update.announced) this.routes.set(keyOf(one), text);
  }

  end(peer: PeerId): void {
    for (const key of this.routes.keys()) {
      if (key.startsWith(`${peer} `)) this.routes.delete(key);
    }
  }

  get sorted(): string[] {
    return [...this.routes].map(([key, text]) => `${key} ${text}`).toSorted();
  }
}

/** A speaker with all four, and stations for its Adj-RIBs-Out. */
class World {
  readonly engine: RouteEngine;
  readonly peers = new Listener();
  readonly stations: readonly { readonly monitor: RibMonitor; readonly listener: Listener }[];
  readonly isUp = new Set<PeerId>();
  config: SpeakerConfig;
  readonly #family: Family;
  readonly #target = new Uint8Array(MONITORED_OCTETS);

  constructor(family: Family) {
    this.#family = family;
    this.config = configOf(family, 1);
    this.engine = createRouteEngine(this.config);
    this.engine.setInterfaces([link('eth0', [PLANS[family].own])]);
    this.engine.endDeferral();
    this.stations = (['out-pre-policy', 'out-post-policy'] as const).map((rib) => ({
      monitor: this.engine.monitor(rib, family),
      listener: new Listener(),
    }));
  }

  up(peer: PeerId): void {
    const config = this.config.peers[peer];
    if (!config || this.isUp.has(peer)) return;
    this.isUp.add(peer);
    const session = sessionWith(peer, config, {
      asn: 65000,
      address: PLANS[this.#family].address(9),
    });
    const addPath = peer === ALL_PATHS ? { receive: [], send: FAMILIES } : undefined;
    this.engine.peerUp({ ...session, ...(addPath && { addPath }) });
    for (const { monitor } of this.stations) monitor.peerUp(peer, addPath !== undefined);
  }

  down(peer: PeerId): void {
    if (!this.isUp.delete(peer)) return;
    this.engine.peerDown(peer, []);
    this.peers.end(peer);
    for (const { monitor, listener } of this.stations) {
      monitor.peerDown(peer);
      listener.end(peer);
    }
  }

  /** @param what `refused`: announces what export rules refuse. */
  say(peer: PeerId, prefix: string, what: 'announce' | 'refused' | 'withdraw'): void {
    if (!this.isUp.has(peer)) return;
    const said = what === 'withdraw' ? { withdraw: [prefix] } : { announce: [prefix] };
    const communities = what === 'refused' ? { communities: [REFUSED] } : {};
    const route = {
      asPath: [65001 + peer],
      nextHop: PLANS[this.#family].address(peer + 1),
      ...communities,
    };
    this.engine.receiveUpdate(peer, updateOctets({ ...said, ...route }));
  }

  /** Everything is decided, and sent to peers. */
  settle(): void {
    for (;;) {
      let more = this.engine.step(5);
      for (const peer of this.isUp) {
        const octets = this.engine.nextUpdate(peer, this.#target, 0);
        if (octets > 0) this.peers.hear(peer, this.#target.slice(0, octets));
        more ||= octets > 0;
      }
      if (!more) return;
    }
  }

  /** Stations take so many messages. */
  take(most = Number.POSITIVE_INFINITY): void {
    for (const { monitor, listener } of this.stations) {
      for (let i = 0; i < most; i += 1) {
        monitor.step(2);
        const octets = monitor.next(this.#target, 0);
        if (octets > 0) listener.hear(monitor.peer ?? -1, this.#target.slice(0, octets));
        else if (!monitor.hasWork) break;
      }
    }
  }
}

describe.each(FAMILIES)('%s', (family) => {
  const { address, prefix, block, unspecified } = PLANS[family];

  test('what peers are sent, before and after export rules, and End-of-RIB', () => {
    const world = new World(family);
    for (const peer of [0, 1, 2, 3]) world.up(peer);
    world.say(0, prefix(1), 'announce');
    world.say(0, prefix(2), 'refused');
    world.settle();
    world.take();
    const [before, after] = world.stations.map(({ listener }) => listener);
    const ofSecond = (listener: Listener | undefined) =>
      listener?.sorted.filter((line) => line.startsWith('1 '));
    expect(ofSecond(before)).toEqual([
      `1 ${prefix(1)} via ${address(1)} med -`,
      `1 ${prefix(2)} via ${address(1)} med -`,
      `1 ${block} via ${unspecified} med -`,
    ]);
    expect(ofSecond(after)).toEqual([
      `1 ${prefix(1)} via ${address(1)} med 1`,
      `1 ${block} via ${address(9)} med 1`,
    ]);
    expect(before?.sorted.filter((line) => line.startsWith('0 '))).toEqual([
      `0 ${block} via ${unspecified} med -`,
    ]);
    for (const listener of [before, after])
      expect(listener?.ended.toSorted()).toEqual([0, 1, 2, 3]);
    expect(after?.sorted).toEqual(world.peers.sorted);
  });

  test('whatever happens, and however slowly it is taken: in the end a station knows what peers have', () => {
    const anyPrefix = fc.constantFrom(...[1, 2, 3, 4].map(prefix));
    const feeder = fc.constantFrom(0, 1);
    const peer = fc.constantFrom(0, 1, 2, 3);
    const step = fc.oneof(
      fc.record({
        do: fc.constant('announce'),
        peer: feeder,
        prefix: anyPrefix,
        refused: fc.boolean(),
      }),
      fc.record({ do: fc.constant('withdraw'), peer: feeder, prefix: anyPrefix }),
      fc.record({ do: fc.constantFrom('up', 'down'), peer }),
      fc.record({ do: fc.constant('policy'), med: fc.constantFrom(1, 2) }),
      fc.record({ do: fc.constantFrom('settle', 'take', 'half') }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const world = new World(family);
        for (const id of [0, 1, 2, 3]) world.up(id);
        for (const one of steps) {
          if ('med' in one) {
            world.config = configOf(family, one.med);
            world.engine.configure(world.config);
          } else if ('refused' in one) {
            world.say(one.peer, one.prefix, one.refused ? 'refused' : 'announce');
          } else if ('prefix' in one) world.say(one.peer, one.prefix, 'withdraw');
          else if ('peer' in one) world[one.do as 'up' | 'down'](one.peer);
          else if (one.do === 'settle') world.settle();
          else if (one.do === 'take') world.take();
          else {
            world.engine.step(2);
            world.take(1);
          }
        }
        world.settle();
        world.take();
        expect(world.stations[1]?.listener.sorted).toEqual(world.peers.sorted);
        const best = world.engine
          .routes({ family, limit: 100 })
          .routes.flatMap(({ prefix: text, paths }) =>
            paths.filter((path) => path.best).map((path) => ({ text, from: path.peer })),
          );
        const chosen = [...world.isUp].flatMap((id) =>
          best.filter(({ from }) => from !== address(id + 1)).map(({ text }) => `${id} ${text}`),
        );
        const told = [...(world.stations[0]?.listener.routes.keys() ?? [])];
        expect(told.map((key) => key.split(' ').slice(0, 2).join(' ')).toSorted()).toEqual(
          chosen.toSorted(),
        );
        for (const { monitor } of world.stations) monitor.close();
        world.settle();
      }),
      { numRuns: 60 },
    );
  });
});
