import { type Family, parseAddress } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CLUSTER, FILTERS, type NaivePolicy, POLICIES, SAFE } from '../../../test/naive-filters.ts';
import {
  isForInternal,
  type NaiveAttributes,
  type NaivePeer,
  type NaiveRules,
  naiveDecision,
  naiveImport,
} from '../../../test/naive-rib.ts';
import {
  connect,
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { endOfRibOctets, updateOctets } from '../../../test/update-octets.ts';
import type { SpeakerConfig } from '../config.ts';
import { createSharedTables } from './shared-tables.ts';

const ASN = 65000;
const RECEIVER = 9;
/** The receiver is on one subnet with the first peer. */
const LINK = {
  ipv4: { own: '10.0.1.254', receiver: '10.0.1.9' },
  ipv6: { own: 'fd00:0:0:1::254', receiver: 'fd00:0:0:1::9' },
} as const;
/** Numbers of ours and of other reflectors. */
const ROUTER_ID = 0xc000_0201;
const CLUSTERS = [ROUTER_ID, 0x0101_0101, 0x0202_0202];

const PREFIXES = {
  ipv4: ['0.0.0.0/0', '10.1.0.0/16', '10.1.0.0/24', '10.1.0.128/25', '10.9.9.9/32'],
  ipv6: ['::/0', 'fd00:1::/48', 'fd00:1::/64', 'fd00:1:0:0:8000::/66', 'fd00:9::9/128'],
} as const;

const ATTRIBUTES: readonly NaiveAttributes[] = [
  { asPath: [65001], origin: 0 },
  { asPath: [65001], origin: 0, med: 5 },
  { asPath: [65002], origin: 0, med: 7 },
  { asPath: [65002, 65001], origin: 0 },
  { asPath: [65001, 65002], origin: 1 },
  { asPath: [65002, 65002], origin: 0, communities: [0xffff_ff01] },
  { asPath: [65001, ASN], origin: 0 },
  { asPath: [65001, 65002], origin: 0, communities: [65_000 * 65_536 + 1] },
  { asPath: [65002], origin: 0, communities: [0xffff_0000] },
];

/** What a reflector adds; only an iBGP peer may send it. */
const REFLECTIONS: readonly Pick<NaiveAttributes, 'originatorId' | 'clusterList'>[] = [
  {},
  { originatorId: 1 },
  { originatorId: 1, clusterList: [0x0303_0303] },
  { originatorId: 2, clusterList: [0x0202_0202, 0x0303_0303] },
  { originatorId: 2, clusterList: [0x0303_0303, 0x0101_0101] },
  { originatorId: 2, clusterList: [ROUTER_ID] },
  { originatorId: ROUTER_ID, clusterList: [0x0303_0303] },
];

/** Three peers: two of them eBGP, and one iBGP that also sends LOCAL_PREF and what reflectors add. */
function newPeers(): NaivePeer[] {
  return [1, 2, 3].map((n) => ({
    name: `10.0.${n}.1`,
    ebgp: n !== 3,
    routerId: n === 2 ? 1 : n,
    addressRank: n,
    nextHop: `10.0.${n}.1`,
    device: `eth${n}`,
    up: true,
    allowAsIn: 0,
    isClient: false,
    accept: (_, attributes) => attributes,
    routes: new Map(),
  }));
}

type Act = (world: World) => void;

/** The engine under test with raw feeders, the model beside it, and a second engine that receives. */
class World {
  readonly dut: Speaker;
  readonly shared = createSharedTables();
  readonly receiver: Speaker;
  readonly receiverAsn: number;
  readonly peers = newPeers();
  readonly rules: NaiveRules = {
    asn: ASN,
    maxPaths: 1,
    relaxAsPath: false,
    routerId: ROUTER_ID,
    clusterId: ROUTER_ID,
    clientToClient: true,
    dead: new Set(),
  };
  readonly family: Family;
  receives = false;
  receiverIsClient = false;
  receiverHasDefault = false;
  /** By name of the peer. */
  readonly imports = new Map<string, NaivePolicy>();
  exports = POLICIES[0] as NaivePolicy;

  constructor(family: Family, receiverAsn: number) {
    this.family = family;
    this.receiverAsn = receiverAsn;
    this.receiver = new Speaker(
      speakerConfig(receiverAsn, { routerId: parseAddress('192.0.2.9') }),
    );
    this.dut = new Speaker(this.config(), { shared: this.shared });
    this.links();
    this.receiver.engine.setInterfaces([link('eth0', ['10.0.1.9/24', 'fd00:0:0:1::9/64'])]);
    this.receiver.engine.endDeferral();
    for (const peer of this.peers) this.up(peer, true);
  }

  config(): SpeakerConfig {
    return speakerConfig(ASN, {
      multipath: { maxPaths: this.rules.maxPaths, relaxAsPath: this.rules.relaxAsPath },
      routerId: identifier(ROUTER_ID),
      clusterId: identifier(this.rules.clusterId),
      clientToClient: this.rules.clientToClient,
      filters: FILTERS,
      importSafety: CLUSTER,
      peers: [
        ...this.peers.map((peer) => this.peerConfig(peer)),
        peerConfig(LINK[this.family].receiver, this.receiverAsn, this.receiverConfig()),
      ],
    });
  }

  receiverConfig() {
    return {
      families: [this.family],
      routeReflectorClient: this.receiverIsClient,
      defaultOriginate: this.receiverHasDefault,
      exportFilters: this.exports.filters,
    };
  }

  peerConfig(peer: NaivePeer) {
    return peerConfig(peer.name, peer.ebgp ? 65000 + peer.addressRank : ASN, {
      allowAsIn: peer.allowAsIn,
      routeReflectorClient: peer.isClient,
      families: [this.family],
      ...this.importConfig(peer),
    });
  }

  importConfig(peer: NaivePeer) {
    const { filters = [], importSafety } = this.imports.get(peer.name) ?? {};
    return { importFilters: filters, ...(importSafety && { importSafety }) };
  }

  links(): void {
    const devices = [1, 2, 3, 9].map((n) =>
      link(
        `eth${n}`,
        [`10.0.${n}.254/24`, `fd00:0:0:${n}::254/64`],
        !this.rules.dead.has(`eth${n}`),
      ),
    );
    this.dut.engine.setInterfaces(devices);
  }

  up(peer: NaivePeer, force = false): void {
    if (peer.up && !force) return;
    peer.up = true;
    const n = peer.addressRank;
    this.dut.engine.peerUp(
      sessionWith(
        n,
        this.peerConfig(peer),
        { asn: ASN, address: `10.0.${n}.254` },
        {
          peerRouterId: parseAddress(`0.0.0.${peer.routerId}`),
        },
      ),
    );
  }

  down(peer: NaivePeer, retain: boolean): void {
    if (!peer.up) return;
    peer.up = false;
    for (const [prefix, route] of peer.routes) {
      if (!retain || route.stale) peer.routes.delete(prefix);
      else route.stale = true;
    }
    this.dut.engine.peerDown(peer.addressRank, retain ? [this.family] : []);
  }

  dropStale(peer: NaivePeer): void {
    for (const [prefix, { stale }] of peer.routes) if (stale) peer.routes.delete(prefix);
  }

  receive(peer: NaivePeer, body: Uint8Array): void {
    expect(this.dut.engine.receiveUpdate(peer.addressRank, body)).toBeUndefined();
  }

  nextHop(peer: NaivePeer): string {
    return this.family === 'ipv4' ? peer.nextHop : `fd00:0:0:${peer.addressRank}::1`;
  }

  /** Takes everything away: nothing may be left in the tables. */
  end(): void {
    for (const peer of this.peers) {
      this.down(peer, false);
      this.dut.engine.flushStale(peer.addressRank);
    }
    this.dut.engine.peerDown(RECEIVER, []);
    this.dut.unplug(RECEIVER);
    settle(this.dut);
    expect(this.shared.attributes.size).toBe(0);
    expect(this.shared.prefixes[this.family].size).toBe(0);
  }

  startReceiver(): void {
    this.receives = true;
    connect(
      {
        speaker: this.dut,
        asn: ASN,
        address: LINK[this.family].own,
        peer: RECEIVER,
        config: this.receiverConfig(),
      },
      {
        speaker: this.receiver,
        asn: this.receiverAsn,
        address: LINK[this.family].receiver,
        peer: 0,
        config: { families: [this.family] },
      },
    );
  }
}

function identifier(value: number) {
  return parseAddress([24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.'));
}

const anyPeer = fc.nat(2);
const anyPrefixes = fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 5 });

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({
        p: anyPeer,
        which: anyPrefixes,
        a: fc.nat(ATTRIBUTES.length - 1),
        pref: fc.option(fc.constantFrom(50, 100, 200)),
        reflection: fc.constantFrom(...REFLECTIONS),
      })
      .map(
        ({ p, which, a, pref, reflection }): Act =>
          (world) => {
            const peer = world.peers[p] as NaivePeer;
            const base = ATTRIBUTES[a] as NaiveAttributes;
            if (!peer.up) return;
            const internal = { ...reflection, ...(pref === null ? {} : { localPref: pref }) };
            const attributes = peer.ebgp ? base : { ...base, ...internal };
            const announce = which.map((i) => PREFIXES[world.family][i] as string);
            for (const prefix of announce) peer.routes.set(prefix, { attributes, stale: false });
            world.receive(
              peer,
              updateOctets({ announce, nextHop: world.nextHop(peer), ...attributes }),
            );
          },
      ),
  },
  {
    weight: 4,
    arbitrary: fc.record({ p: anyPeer, which: anyPrefixes }).map(
      ({ p, which }): Act =>
        (world) => {
          const peer = world.peers[p] as NaivePeer;
          if (!peer.up) return;
          const withdraw = which.map((i) => PREFIXES[world.family][i] as string);
          for (const prefix of withdraw) peer.routes.delete(prefix);
          world.receive(peer, updateOctets({ withdraw }));
        },
    ),
  },
  fc.record({ p: anyPeer, retain: fc.boolean() }).map(
    ({ p, retain }): Act =>
      (world) => {
        world.down(world.peers[p] as NaivePeer, retain);
      },
  ),
  {
    weight: 2,
    arbitrary: anyPeer.map(
      (p): Act =>
        (world) =>
          world.up(world.peers[p] as NaivePeer),
    ),
  },
  anyPeer.map(
    (p): Act =>
      (world) => {
        const peer = world.peers[p] as NaivePeer;
        if (!peer.up) return;
        world.dropStale(peer);
        world.receive(peer, endOfRibOctets(world.family));
      },
  ),
  anyPeer.map(
    (p): Act =>
      (world) => {
        world.dropStale(world.peers[p] as NaivePeer);
        world.dut.engine.flushStale(p + 1);
      },
  ),
  anyPeer.map(
    (p): Act =>
      (world) => {
        const device = `eth${p + 1}`;
        if (!world.rules.dead.delete(device)) world.rules.dead.add(device);
        world.links();
      },
  ),
  fc
    .record({
      p: anyPeer,
      allowAsIn: fc.nat(1),
      maxPaths: fc.integer({ min: 1, max: 3 }),
      relaxAsPath: fc.boolean(),
    })
    .map(
      ({ p, allowAsIn, maxPaths, relaxAsPath }): Act =>
        (world) => {
          const peer = world.peers[p] as NaivePeer;
          // The knob is applied to live sessions; a peer that is down gets it when it comes up.
          if (peer.up) peer.allowAsIn = allowAsIn;
          world.rules.maxPaths = maxPaths;
          world.rules.relaxAsPath = relaxAsPath;
          world.dut.engine.configure(world.config());
        },
    ),
  fc
    .record({
      feeder: fc.boolean(),
      receiver: fc.boolean(),
      hasDefault: fc.boolean(),
      clientToClient: fc.boolean(),
      clusterId: fc.constantFrom(...CLUSTERS),
    })
    .map(
      ({ feeder, receiver, hasDefault, clientToClient, clusterId }): Act =>
        (world) => {
          const internal = world.peers[2] as NaivePeer;
          // Applied to live sessions, as above.
          if (internal.up) internal.isClient = feeder;
          world.receiverIsClient = receiver;
          world.receiverHasDefault = hasDefault;
          world.rules.clientToClient = clientToClient;
          world.rules.clusterId = clusterId;
          world.dut.engine.configure(world.config());
        },
    ),
  {
    weight: 2,
    arbitrary: fc.record({ p: anyPeer, policy: fc.constantFrom(...POLICIES, SAFE) }).map(
      ({ p, policy }): Act =>
        (world) => {
          const peer = world.peers[p] as NaivePeer;
          peer.accept = policy.apply;
          world.imports.set(peer.name, policy);
          world.dut.engine.configure(world.config());
        },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(...POLICIES).map(
      (policy): Act =>
        (world) => {
          world.exports = policy;
          world.dut.engine.configure(world.config());
        },
    ),
  },
  fc.integer({ min: 1, max: 6 }).map(
    (units): Act =>
      (world) => {
        world.dut.engine.step(units);
      },
  ),
  fc.constant<Act>((world) => {
    const batch = world.dut.engine.nextRouteBatch(2);
    if (batch) world.dut.kernel.apply(batch);
  }),
  fc.constant<Act>((world) => {
    const message = world.dut.message(RECEIVER);
    if (message) world.receiver.engine.receiveUpdate(0, message.subarray(19));
  }),
  fc.constant<Act>((world) => world.dut.engine.endDeferral()),
  {
    weight: 3,
    arbitrary: fc.constant<Act>((world) => {
      world.dut.engine.endDeferral();
      settle(world.dut, world.receiver);
      compare(world);
    }),
  },
  fc.constant<Act>((world) => world.dut.engine.refresh(RECEIVER, world.family)),
);

/** What the engine says, against what the model says. */
function compare(world: World): void {
  compareCounters(world);
  const chosen = PREFIXES[world.family].map((prefix) => ({
    prefix,
    paths: naiveDecision(world.peers, prefix, world.rules),
  }));
  const expected = chosen
    .filter(({ paths }) => paths.length > 0)
    .map(({ prefix, paths }) => [prefix, ...paths.map(({ peer }) => peer.name)]);
  const actual = world.dut
    .routes(world.family)
    .map(({ prefix, paths }) => [
      prefix,
      ...paths.filter(({ best, multipath }) => best || multipath).map(({ peer }) => peer),
    ])
    .filter(([, ...peers]) => peers.length > 0);
  expect(actual).toEqual(expected);

  const paths = world.dut
    .routes(world.family)
    .flatMap((route) =>
      route.paths.map(({ peer, asPath, stale }) =>
        [route.prefix, peer, stale ? 'stale' : 'fresh', ...asPath].join(' '),
      ),
    );
  const known = world.peers.flatMap((peer) =>
    [...peer.routes].map(([prefix, { attributes, stale }]) => {
      // A loop is shown with what filters would change, too.
      const { asPath } = peer.accept(prefix, attributes) ?? attributes;
      return [prefix, peer.name, stale ? 'stale' : 'fresh', ...asPath].join(' ');
    }),
  );
  expect(paths.sort()).toEqual(known.sort());

  const kernel = chosen
    .filter(({ paths }) => paths.length > 0)
    .map(({ prefix, paths }) => [
      prefix,
      paths
        .map(({ peer }) => `${world.nextHop(peer)}@${peer.device}`)
        .sort()
        .join(' '),
    ]);
  expect([...world.dut.kernel.routes].sort()).toEqual(kernel.sort());

  if (!world.receives) return;
  const received = chosen.flatMap(({ prefix, paths: [best] }) => {
    if (world.receiverHasDefault && prefix === PREFIXES[world.family][0]) {
      const [asPath, localPref] = world.receiverAsn === ASN ? [[], 100] : [[ASN], null];
      const via = LINK[world.family].own;
      return [[prefix, 'via', via, ...asPath, 'by nobody', null, localPref].join(' ')];
    }
    if (!best) return [];
    return told(world, best.peer, prefix, best.route.attributes).map((text) => `${prefix} ${text}`);
  });
  const held = world.receiver
    .routes(world.family)
    .flatMap(({ prefix, paths }) =>
      paths.map(({ nextHop, asPath, originatorId, clusterList, med, localPref }) =>
        [
          ...[prefix, 'via', nextHop, ...asPath],
          ...['by', originatorId ?? 'nobody', ...clusterList, med, localPref],
        ].join(' '),
      ),
    );
  expect(held).toEqual(received);
}

/**
 * What the receiver should have of a route: next hop, AS_PATH, ORIGINATOR_ID, CLUSTER_LIST, MED and LOCAL_PREF; or
 * nothing.
 */
function told(
  world: World,
  from: NaivePeer,
  prefix: string,
  attributes: NaiveAttributes,
): string[] {
  const { originatorId = from.routerId, clusterList = [] } = attributes;
  const unchanged = `via ${world.nextHop(from)}`;
  if (world.receiverAsn !== ASN) {
    if (attributes.communities?.includes(0xffff_ff01)) return [];
    // A MED does not go on to another AS, unless a filter sets it.
    const { med: _, ...others } = attributes;
    const sent = world.exports.apply(prefix, others);
    const via = from.addressRank === 1 ? unchanged : `via ${LINK[world.family].own}`;
    // The receiver in turn makes what we are about to stop serving the last choice.
    const localPref = sent?.communities?.includes(0xffff_0000) ? 0 : null;
    return sent ? [[via, ASN, ...sent.asPath, 'by nobody', sent.med, localPref].join(' ')] : [];
  }
  const sent = world.exports.apply(prefix, attributes);
  if (!sent || !isForInternal(from, world.receiverIsClient, world.rules)) return [];
  const reflected = [originatorId, world.rules.clusterId, ...clusterList].map(identifier);
  const by = from.ebgp ? ['nobody'] : reflected;
  return [[unchanged, ...sent.asPath, 'by', ...by, sent.med, sent.localPref ?? 100].join(' ')];
}

function accepted(world: World, peer: NaivePeer, prefix: string, attributes: NaiveAttributes) {
  return naiveImport(peer, prefix, attributes, world.rules);
}

function compareCounters(world: World): void {
  for (const peer of world.peers) {
    const routes = [...peer.routes]
      .filter(([prefix, { attributes }]) => accepted(world, peer, prefix, attributes))
      .map(([, route]) => route);
    expect(world.dut.engine.counters(peer.addressRank)).toMatchObject({
      received: { [world.family]: routes.length },
      stale: { [world.family]: routes.filter(({ stale }) => stale).length },
      filtered: { [world.family]: peer.routes.size - routes.length },
    });
  }
}

for (const [family, receiver, receiverAsn] of [
  ['ipv4', 'eBGP', 65999],
  ['ipv6', 'eBGP', 65999],
  ['ipv4', 'iBGP', ASN],
  ['ipv6', 'iBGP', ASN],
] as const) {
  test(`${family}: whatever happens in whatever order, the RIBs, the kernel and the ${receiver} receiver end where a computation from scratch ends`, () => {
    fc.assert(
      fc.property(fc.array(act, { minLength: 1, maxLength: 60 }), fc.nat(59), (acts, when) => {
        const world = new World(family, receiverAsn);
        for (const [i, perform] of acts.entries()) {
          if (i === Math.min(when, acts.length - 1)) world.startReceiver();
          perform(world);
        }
        world.dut.engine.endDeferral();
        settle(world.dut, world.receiver);
        compare(world);
        world.end();
      }),
      { numRuns: 200 },
    );
  });
}
