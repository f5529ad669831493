import type { Family } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { link, peerConfig, sessionWith, speakerConfig } from '../../../../test/two-speakers.ts';
import { endOfRibOctets, updateOctets } from '../../../../test/update-octets.ts';
import type { RouteFilter } from '../../index.ts';
import { type DescribedUpdate, describeMessage } from '../../wire/describe-message.ts';
import { createRouteEngine } from '../engine.ts';
import type { PeerId, RouteEngine } from '../route-engine.ts';
import { MONITORED_OCTETS, type MonitoredRib, type RibMonitor } from './rib-monitor.ts';

const FILTER: RouteFilter = {
  name: 'import',
  rules: [
    { match: { med: 9 }, action: 'reject' },
    { match: { med: 1 }, action: 'accept', set: { localPref: 200 } },
  ],
};
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
const peers = ['10.0.0.1', '10.0.0.2'].map((address, i) =>
  peerConfig(address, 65001 + i, { importFilters: ['import'] }),
);

/** A speaker with two peers, of which the sessions come and go. */
class Monitored {
  readonly engine: RouteEngine;

  constructor() {
    this.engine = createRouteEngine(
      speakerConfig(65000, { peers, filters: [FILTER], originate: ['10.65.0.0/26'] }),
    );
    this.engine.setInterfaces([link('eth0', ['10.0.0.9/24', 'fd00::9/64'])]);
    this.engine.endDeferral();
  }

  up(peer: PeerId): void {
    const config = peers[peer];
    if (!config) throw new Error(`there is no peer ${peer}`);
    this.engine.peerUp(sessionWith(peer, config, { asn: 65000, address: '10.0.0.9' }));
  }

  say(peer: PeerId, update: { announce?: string[]; withdraw?: string[]; med?: number }): void {
    const asPath = [65001 + peer];
    const isIpv6 = [...(update.announce ?? []), ...(update.withdraw ?? [])].some((text) =>
      text.includes(':'),
    );
    const nextHop = isIpv6 ? `fd00::${peer + 1}` : `10.0.0.${peer + 1}`;
    const octets = updateOctets({ ...update, asPath, nextHop });
    expect(this.engine.receiveUpdate(peer, octets)).toBeUndefined();
  }

  settle(): void {
    while (this.engine.step(7));
  }
}

/** What a station makes of what it is told. */
class Station {
  readonly routes = new Map<string, string>();
  readonly ended: string[] = [];
  readonly monitor: RibMonitor;
  messages = 0;
  readonly #target = new Uint8Array(MONITORED_OCTETS);

  constructor(engine: RouteEngine, rib: MonitoredRib, family: Family) {
    this.monitor = engine.monitor(rib, family);
  }

  up(peer: PeerId): void {
    this.monitor.peerUp(peer, false);
  }

  down(peer: PeerId): void {
    this.monitor.peerDown(peer);
    for (const key of this.routes.keys()) {
      if (key.startsWith(`${peer} `)) this.routes.delete(key);
    }
  }

  /** @param most Messages. */
  take(most = Number.POSITIVE_INFINITY): void {
    for (let i = 0; i < most; i += 1) {
      this.monitor.step(3);
      const octets = this.monitor.next(this.#target, 0);
      if (octets > 0) this.#tell(this.#target.slice(0, octets));
      else if (!this.monitor.hasWork) return;
    }
  }

  #tell(message: Uint8Array): void {
    this.messages += 1;
    const described = describeMessage(message, {
      fourOctetAs: true,
      ebgp: false,
      families: FAMILIES,
      extended: true,
    });
    expect(described).toMatchObject({ type: 'update' });
    const peer = this.monitor.peer ?? 'own';
    const { update } = described;
    if (!update) throw new Error('no update');
    if (update.endOfRib) this.ended.push(`${peer} ${update.endOfRib}`);
    const { announced, withdrawn, text } = readUpdate(update);
    for (const prefix of withdrawn) this.routes.delete(`${peer} ${prefix}`);
    for (const prefix of announced) this.routes.set(`${peer} ${prefix}`, text);
  }
}

function readUpdate({ announced, withdrawn, attributes }: DescribedUpdate) {
  const value = (name: string): unknown => attributes.find((one) => one.name === name)?.value;
  const prefixesOf = (name: string): string[] =>
    ((value(name) as { prefixes?: { prefix: string }[] } | undefined)?.prefixes ?? []).map(
      ({ prefix }) => prefix,
    );
  const reach = value('MP_REACH_NLRI') as { nextHops: string[] } | undefined;
  const nextHop = value('NEXT_HOP') ?? reach?.nextHops[0];
  return {
    announced: [...announced.map(({ prefix }) => prefix as string), ...prefixesOf('MP_REACH_NLRI')],
    withdrawn: [
      ...withdrawn.map(({ prefix }) => prefix as string),
      ...prefixesOf('MP_UNREACH_NLRI'),
    ],
    text: `via ${String(nextHop)} med ${value('MULTI_EXIT_DISC') ?? '-'} pref ${value('LOCAL_PREF') ?? '-'}`,
  };
}

const expectRoutes = (station: Station, ...routes: readonly string[]): void => {
  expect([...station.routes].map(([key, text]) => `${key} ${text}`).toSorted()).toEqual(routes);
};

test('what there is, End-of-RIB, and then what changes: before and after import rules, and what was chosen', () => {
  const speaker = new Monitored();
  const { engine } = speaker;
  speaker.up(0);
  speaker.up(1);
  speaker.say(0, { announce: ['10.1.0.0/16', '10.2.0.0/16'], med: 1 });
  speaker.say(0, { announce: ['10.3.0.0/16'], med: 9 });
  speaker.say(1, { announce: ['10.1.0.0/16'] });
  engine.receiveUpdate(0, endOfRibOctets('ipv4'));
  speaker.settle();
  const [pre, post, loc] = (['pre-policy', 'post-policy', 'loc-rib'] as const).map(
    (rib) => new Station(engine, rib, 'ipv4'),
  ) as [Station, Station, Station];
  for (const station of [pre, post]) for (const peer of [0, 1]) station.up(peer);
  for (const station of [pre, post, loc]) station.take();
  expectRoutes(
    pre,
    '0 10.1.0.0/16 via 10.0.0.1 med 1 pref -',
    '0 10.2.0.0/16 via 10.0.0.1 med 1 pref -',
    '0 10.3.0.0/16 via 10.0.0.1 med 9 pref -',
    '1 10.1.0.0/16 via 10.0.0.2 med - pref -',
  );
  expectRoutes(
    post,
    '0 10.1.0.0/16 via 10.0.0.1 med 1 pref 200',
    '0 10.2.0.0/16 via 10.0.0.1 med 1 pref 200',
    '1 10.1.0.0/16 via 10.0.0.2 med - pref -',
  );
  expectRoutes(
    loc,
    'own 10.1.0.0/16 via 10.0.0.1 med 1 pref 200',
    'own 10.2.0.0/16 via 10.0.0.1 med 1 pref 200',
    'own 10.65.0.0/26 via 0.0.0.0 med - pref -',
  );
  // The second peer has not said that this is all.
  expect(pre.ended).toEqual(['0 ipv4']);
  expect(loc.ended).toEqual(['own ipv4']);
  engine.receiveUpdate(1, endOfRibOctets('ipv4'));
  speaker.say(0, { withdraw: ['10.1.0.0/16'] });
  speaker.say(0, { announce: ['10.2.0.0/16'], med: 9 });
  speaker.settle();
  for (const station of [pre, post, loc]) station.take();
  expect(pre.ended).toEqual(['0 ipv4', '1 ipv4']);
  expectRoutes(
    pre,
    '0 10.2.0.0/16 via 10.0.0.1 med 9 pref -',
    '0 10.3.0.0/16 via 10.0.0.1 med 9 pref -',
    '1 10.1.0.0/16 via 10.0.0.2 med - pref -',
  );
  expectRoutes(post, '1 10.1.0.0/16 via 10.0.0.2 med - pref -');
  expectRoutes(
    loc,
    'own 10.1.0.0/16 via 10.0.0.2 med - pref -',
    'own 10.65.0.0/26 via 0.0.0.0 med - pref -',
  );
});

test('many prefixes with the same attributes share messages, and a slow station is told the last state only', () => {
  const speaker = new Monitored();
  speaker.up(0);
  const station = new Station(speaker.engine, 'pre-policy', 'ipv4');
  station.up(0);
  const prefixes = Array.from({ length: 500 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
  for (let med = 0; med < 5; med += 1) {
    speaker.say(0, { announce: prefixes, med });
    speaker.settle();
  }
  station.take();
  expect(station.routes.size).toBe(500);
  expect(new Set(station.routes.values())).toEqual(new Set(['via 10.0.0.1 med 4 pref -']));
  expect(station.messages).toBeLessThan(5);
});

test('a session with path identifiers is told with them', () => {
  const speaker = new Monitored();
  const [config] = peers;
  if (!config) throw new Error('no peer');
  const session = sessionWith(0, config, { asn: 65000, address: '10.0.0.9' });
  speaker.engine.peerUp({ ...session, addPath: { receive: ['ipv4'], send: [] } });
  const plain = updateOctets({ announce: ['10.0.0.0/8'], asPath: [65001], nextHop: '10.0.0.1' });
  // The NLRI is the last two octets: its length and one octet.
  const identified = Uint8Array.of(...plain.slice(0, -2), 0, 0, 0, 42, ...plain.slice(-2));
  expect(speaker.engine.receiveUpdate(0, identified)).toBeUndefined();
  speaker.settle();
  const monitor = speaker.engine.monitor('pre-policy', 'ipv4');
  monitor.peerUp(0, true);
  monitor.step(10);
  const target = new Uint8Array(MONITORED_OCTETS);
  const octets = monitor.next(target, 0);
  expect([...target.slice(octets - 6, octets)]).toEqual([0, 0, 0, 42, 8, 10]);
});

test('whatever happens, and however slowly it is taken: in the end the station knows what the RIBs have', () => {
  const prefix = fc.constantFrom('10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16', '10.4.0.0/16');
  const peer = fc.constantFrom(0, 1);
  const step = fc.oneof(
    fc.record({ do: fc.constant('announce'), peer, prefix, med: fc.constantFrom(0, 1, 2, 9) }),
    fc.record({ do: fc.constant('withdraw'), peer, prefix }),
    fc.record({ do: fc.constantFrom('up', 'down', 'keep'), peer }),
    fc.record({ do: fc.constantFrom('settle', 'take', 'half') }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const speaker = new Monitored();
      const { engine } = speaker;
      const stations = (['pre-policy', 'post-policy', 'loc-rib'] as const).map(
        (rib) => new Station(engine, rib, 'ipv4'),
      );
      const isUp = [false, false];
      for (const one of steps) {
        const id = 'peer' in one ? one.peer : 0;
        if (one.do === 'announce' && isUp[id] && 'med' in one) {
          speaker.say(id, { announce: [one.prefix], med: one.med });
        } else if (one.do === 'withdraw' && isUp[id] && 'prefix' in one) {
          speaker.say(id, { withdraw: [one.prefix] });
        } else if (one.do === 'up' && !isUp[id]) {
          speaker.up(id);
          isUp[id] = true;
          for (const station of stations) station.up(id);
        } else if ((one.do === 'down' || one.do === 'keep') && isUp[id]) {
          engine.peerDown(id, one.do === 'keep' ? ['ipv4'] : []);
          isUp[id] = false;
          for (const station of stations) station.down(id);
        } else if (one.do === 'settle') speaker.settle();
        else if (one.do === 'take') for (const station of stations) station.take();
        else if (one.do === 'half') {
          engine.step(2);
          for (const station of stations) station.take(1);
        }
      }
      speaker.settle();
      for (const station of stations) station.take();
      const { routes } = engine.routes({ family: 'ipv4', limit: 100 });
      const paths = routes.flatMap(({ prefix: text, paths: all }) =>
        all.map((path) => ({ text, ...path })),
      );
      const names = ['10.0.0.1', '10.0.0.2'];
      const learned = paths.filter(({ peer: name }) => name !== null && isUp[names.indexOf(name)]);
      const keys = (all: typeof paths): string[] =>
        all.map(({ peer: name, text }) => `${names.indexOf(name ?? '')} ${text}`).toSorted();
      const [pre, post, loc] = stations.map((station) => [...station.routes.keys()].toSorted());
      expect(pre).toEqual(keys(learned));
      expect(post).toEqual(keys(learned.filter(({ refused }) => refused === null)));
      expect(loc).toEqual(
        paths
          .filter(({ best }) => best)
          .map(({ text }) => `own ${text}`)
          .toSorted(),
      );
      for (const station of stations) station.monitor.close();
    }),
    { numRuns: 300 },
  );
});
