import { type Family, parseAddress } from '@overland/net';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { CLUSTER, FILTERS, type NaivePolicy, POLICIES, SAFE } from '../../../test/naive-filters.ts';
import {
  type NaiveChoice,
  type NaivePathPeer,
  naivePathDecision,
  naiveSelection,
  withdrawPath,
} from '../../../test/naive-paths.ts';
import { type NaiveAttributes, type NaiveRules, naiveImport } from '../../../test/naive-rib.ts';
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
import type { AddPathSelection, SpeakerConfig } from '../config.ts';
import { createSharedTables } from './shared-tables.ts';

vi.setConfig({ testTimeout: 120_000 }); // all computing: how long depends on the machine alone

const ASN = 65000;

const PREFIXES = {
  ipv4: ['0.0.0.0/0', '10.1.0.0/24', '10.1.0.128/25', '10.9.9.9/32'],
  ipv6: ['::/0', 'fd00:1::/64', 'fd00:1:0:0:8000::/66', 'fd00:9::9/128'],
} as const;

const ATTRIBUTES: readonly NaiveAttributes[] = [
  { asPath: [65001], origin: 0 },
  { asPath: [65001], origin: 0, med: 5 },
  { asPath: [65002], origin: 0 },
  { asPath: [65002], origin: 0, communities: [0xffff_ff01] },
  { asPath: [65001, 65002], origin: 0, communities: [65_000 * 65_536 + 1] },
  { asPath: [65001, ASN], origin: 0 },
];

const SELECTIONS: readonly AddPathSelection[] = [
  'all',
  'multipath',
  { best: 1 },
  { best: 2 },
  { best: 3 },
];

/** The receiver: an iBGP peer, so that it sees next hops. */
const RECEIVER = 9;

const RECEIVER_LINK = {
  ipv4: { own: '10.0.9.254', receiver: '10.0.9.9' },
  ipv6: { own: 'fd00:9::254', receiver: 'fd00:9::9' },
} as const;

const PATH_IDS = [0, 1, 2, 0xffff_fffe];

function newPeers(): NaivePathPeer[] {
  return [1, 2].map((n) => ({
    name: `10.0.${n}.1`,
    ebgp: true,
    routerId: n,
    addressRank: n,
    nextHop: '',
    device: `eth${n}`,
    up: true,
    longLived: false,
    allowAsIn: 0,
    isClient: false,
    accept: (_, attributes) => attributes,
    routes: new Map(),
    identified: true,
    paths: [],
  }));
}

type Act = (world: World) => void;

/** The engine under test with raw feeders that give path identifiers, and the model beside it. */
class World {
  readonly dut: Speaker;
  readonly shared = createSharedTables();
  readonly peers = newPeers();
  readonly rules: NaiveRules = {
    asn: ASN,
    maxPaths: 2,
    relaxAsPath: true,
    routerId: 0,
    clusterId: 0,
    clientToClient: true,
    dead: new Set(),
  };
  readonly family: Family;
  /** By name of the peer. */
  readonly imports = new Map<string, NaivePolicy>();
  readonly receiver = new Speaker(speakerConfig(ASN, { routerId: parseAddress('192.0.2.9') }));
  receives = false;
  selection: AddPathSelection = 'all';
  exports = POLICIES[0] as NaivePolicy;
  receiverHasDefault = false;

  constructor(family: Family) {
    this.family = family;
    this.dut = new Speaker(this.config(), { shared: this.shared });
    this.links();
    for (const peer of this.peers) this.up(peer, true, true);
  }

  config(): SpeakerConfig {
    const { maxPaths, relaxAsPath } = this.rules;
    return speakerConfig(ASN, {
      multipath: { maxPaths, relaxAsPath },
      filters: FILTERS,
      importSafety: CLUSTER,
      peers: [
        ...this.peers.map((peer) => this.peerConfig(peer)),
        peerConfig(RECEIVER_LINK[this.family].receiver, ASN, this.receiverConfig()),
      ],
    });
  }

  receiverConfig() {
    return {
      families: [this.family],
      addPath: { receive: false, send: this.selection },
      exportFilters: this.exports.filters,
      defaultOriginate: this.receiverHasDefault,
    };
  }

  startReceiver(): void {
    this.receives = true;
    const { own, receiver } = RECEIVER_LINK[this.family];
    const families = [this.family];
    connect(
      {
        speaker: this.dut,
        asn: ASN,
        address: own,
        peer: RECEIVER,
        config: this.receiverConfig(),
      },
      { speaker: this.receiver, asn: ASN, address: receiver, peer: 0, config: { families } },
      { addPath: { receive: families, send: families } },
    );
  }

  peerConfig(peer: NaivePathPeer) {
    const { filters = [], importSafety } = this.imports.get(peer.name) ?? {};
    return peerConfig(peer.name, 65000 + peer.addressRank, {
      families: [this.family],
      importFilters: filters,
      ...(importSafety && { importSafety }),
    });
  }

  links(): void {
    const devices = [1, 2].map((n) => {
      const addresses = [`10.0.${n}.254/24`, `fd00:0:0:${n}::254/64`];
      return link(`eth${n}`, addresses, !this.rules.dead.has(`eth${n}`));
    });
    this.dut.engine.setInterfaces(devices);
  }

  up(peer: NaivePathPeer, identified: boolean, force = false): void {
    if (peer.up && !force) return;
    peer.up = true;
    peer.identified = identified;
    const n = peer.addressRank;
    const local = { asn: ASN, address: `10.0.${n}.254` };
    const session = sessionWith(n, this.peerConfig(peer), local, {
      peerRouterId: parseAddress(`0.0.0.${peer.routerId}`),
      addPath: { receive: identified ? [this.family] : [], send: [] },
    });
    this.dut.engine.peerUp(session);
  }

  down(peer: NaivePathPeer, retain: boolean): void {
    if (!peer.up) return;
    peer.up = false;
    peer.paths = retain ? peer.paths.filter(({ stale }) => !stale) : [];
    for (const path of peer.paths) path.stale = true;
    this.dut.engine.peerDown(peer.addressRank, retain ? [this.family] : []);
  }

  dropStale(peer: NaivePathPeer): void {
    peer.paths = peer.paths.filter(({ stale }) => !stale);
  }

  receive(peer: NaivePathPeer, body: Uint8Array): void {
    expect(this.dut.engine.receiveUpdate(peer.addressRank, body)).toBeUndefined();
  }

  /** One of the routers on the peer's link. */
  nextHop(peer: NaivePathPeer, host: number): string {
    const n = peer.addressRank;
    return this.family === 'ipv4' ? `10.0.${n}.${host}` : `fd00:0:0:${n}::${host}`;
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
}

const anyPeer = fc.nat(1);
/** Prefixes, each with a path identifier. */
const anyPaths = fc.array(fc.tuple(fc.nat(3), fc.constantFrom(...PATH_IDS)), {
  minLength: 1,
  maxLength: 6,
});

/** The identifiers of a message, if the session has them; and what the model calls the paths. */
function named(world: World, peer: NaivePathPeer, paths: readonly (readonly [number, number])[]) {
  const texts = paths.map(([i, pathId]) => ({
    prefix: PREFIXES[world.family][i] as string,
    pathId: peer.identified ? pathId : undefined,
  }));
  const pathIds = paths.map(([, pathId]) => pathId);
  return { texts, pathIds: peer.identified ? { pathIds } : {} };
}

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({
        p: anyPeer,
        paths: anyPaths,
        a: fc.nat(ATTRIBUTES.length - 1),
        host: fc.integer({ min: 1, max: 3 }),
      })
      .map(
        ({ p, paths, a, host }): Act =>
          (world) => {
            const peer = world.peers[p] as NaivePathPeer;
            const attributes = ATTRIBUTES[a] as NaiveAttributes;
            if (!peer.up) return;
            const { texts, pathIds } = named(world, peer, paths);
            const nextHop = world.nextHop(peer, host);
            for (const { prefix, pathId } of texts) {
              withdrawPath(peer, prefix, pathId);
              peer.paths.push({ prefix, pathId, nextHop, attributes, stale: false });
            }
            const announce = texts.map(({ prefix }) => prefix);
            world.receive(peer, updateOctets({ announce, nextHop, ...pathIds, ...attributes }));
          },
      ),
  },
  {
    weight: 4,
    arbitrary: fc.record({ p: anyPeer, paths: anyPaths }).map(
      ({ p, paths }): Act =>
        (world) => {
          const peer = world.peers[p] as NaivePathPeer;
          if (!peer.up) return;
          const { texts, pathIds } = named(world, peer, paths);
          for (const { prefix, pathId } of texts) withdrawPath(peer, prefix, pathId);
          const withdraw = texts.map(({ prefix }) => prefix);
          world.receive(peer, updateOctets({ withdraw, ...pathIds }));
        },
    ),
  },
  fc.record({ p: anyPeer, retain: fc.boolean() }).map(
    ({ p, retain }): Act =>
      (world) =>
        world.down(world.peers[p] as NaivePathPeer, retain),
  ),
  {
    weight: 3,
    arbitrary: fc.record({ p: anyPeer, identified: fc.boolean() }).map(
      ({ p, identified }): Act =>
        (world) =>
          world.up(world.peers[p] as NaivePathPeer, identified),
    ),
  },
  anyPeer.map(
    (p): Act =>
      (world) => {
        const peer = world.peers[p] as NaivePathPeer;
        if (!peer.up) return;
        world.dropStale(peer);
        world.receive(peer, endOfRibOctets(world.family));
      },
  ),
  anyPeer.map(
    (p): Act =>
      (world) => {
        world.dropStale(world.peers[p] as NaivePathPeer);
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
  fc.record({ p: anyPeer, allowAsIn: fc.nat(1), maxPaths: fc.integer({ min: 1, max: 4 }) }).map(
    ({ maxPaths }): Act =>
      (world) => {
        world.rules.maxPaths = maxPaths;
        world.dut.engine.configure(world.config());
      },
  ),
  {
    weight: 2,
    arbitrary: fc.record({ p: anyPeer, policy: fc.constantFrom(...POLICIES, SAFE) }).map(
      ({ p, policy }): Act =>
        (world) => {
          const peer = world.peers[p] as NaivePathPeer;
          peer.accept = policy.apply;
          world.imports.set(peer.name, policy);
          world.dut.engine.configure(world.config());
        },
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        selection: fc.constantFrom(...SELECTIONS),
        policy: fc.constantFrom(...POLICIES),
        hasDefault: fc.boolean(),
      })
      .map(
        ({ selection, policy, hasDefault }): Act =>
          (world) => {
            world.selection = selection;
            world.exports = policy;
            world.receiverHasDefault = hasDefault;
            world.dut.engine.configure(world.config());
          },
      ),
  },
  {
    weight: 2,
    arbitrary: fc.constant<Act>((world) => {
      const message = world.dut.message(RECEIVER);
      if (message) world.receiver.engine.receiveUpdate(0, message.subarray(19));
    }),
  },
  fc.constant<Act>((world) => world.dut.engine.refresh(RECEIVER, world.family)),
  fc.constant<Act>((world) => world.dut.engine.endDeferral()),
  fc.integer({ min: 1, max: 6 }).map(
    (units): Act =>
      (world) => {
        world.dut.engine.step(units);
      },
  ),
  {
    weight: 3,
    arbitrary: fc.constant<Act>((world) => {
      world.dut.engine.endDeferral();
      settle(world.dut, world.receiver);
      compare(world);
    }),
  },
);

/** What the engine says, against what the model says. */
function compare(world: World): void {
  const { family, peers, rules } = world;
  for (const peer of peers) {
    const accepted = peer.paths.filter(({ prefix, attributes }) =>
      naiveImport(peer, prefix, { attributes, stale: false }, rules),
    );
    expect(world.dut.engine.counters(peer.addressRank)).toMatchObject({
      received: { [family]: accepted.length },
      stale: { [family]: accepted.filter(({ stale }) => stale).length },
      filtered: { [family]: peer.paths.length - accepted.length },
    });
  }
  const routes = world.dut.routes(family);
  const paths = routes.flatMap((route) =>
    route.paths.map(({ peer, pathId, stale, nextHop, asPath }) =>
      [route.prefix, peer, stale, pathId || 'none or 0', nextHop, ...asPath].join(' '),
    ),
  );
  const known = peers.flatMap((peer) =>
    peer.paths.map(({ prefix, pathId, stale, nextHop, attributes }) => {
      const { asPath } = peer.accept(prefix, attributes) ?? attributes;
      return [prefix, peer.name, stale, pathId || 'none or 0', nextHop, ...asPath].join(' ');
    }),
  );
  expect(paths.sort()).toEqual(known.sort());

  const chosen = PREFIXES[family].flatMap((prefix) => {
    const choice = naivePathDecision(peers, prefix, rules);
    return choice.length > 0 ? [{ prefix, choice }] : [];
  });
  const best = chosen.map(({ prefix, choice: [first] }) =>
    [prefix, first?.peer.name, first?.path.nextHop, ...(first?.attributes.asPath ?? [])].join(' '),
  );
  const actual = routes.flatMap(({ prefix, paths: all }) =>
    all
      .filter((path) => path.best)
      .map(({ peer, nextHop, asPath }) => [prefix, peer, nextHop, ...asPath].join(' ')),
  );
  expect(actual).toEqual(best);

  const kernel = chosen.map(({ prefix, choice }) => [
    prefix,
    [...new Set(choice.map(({ peer, path }) => `${path.nextHop}@${peer.device}`))].sort().join(' '),
  ]);
  expect([...world.dut.kernel.routes].sort()).toEqual(kernel.sort());
  if (world.receives) compareReceived(world);
}

/** What the receiver has, against what the model says that it gets. */
function compareReceived(world: World): void {
  const { family, peers, rules, selection, exports } = world;
  const told = (prefix: string, { attributes, path }: NaiveChoice): string | undefined => {
    const sent = exports.apply(prefix, attributes);
    if (!sent) return undefined;
    return [prefix, path.nextHop, ...sent.asPath, sent.med, sent.localPref ?? 100].join(' ');
  };
  const expected = PREFIXES[family].flatMap((prefix) => {
    if (world.receiverHasDefault && prefix === PREFIXES[family][0]) {
      return [[prefix, RECEIVER_LINK[family].own, null, 100].join(' ')];
    }
    const mayHave = (choice: NaiveChoice): boolean => told(prefix, choice) !== undefined;
    const chosen = naiveSelection(peers, prefix, rules, { selection, mayHave });
    return chosen.map((choice) => told(prefix, choice) as string);
  });
  const received = world.receiver.routes(family).flatMap(({ prefix, paths }) => {
    expect(new Set(paths.map(({ pathId }) => pathId)).size).toBe(paths.length);
    return paths.map(({ nextHop, asPath, med, localPref }) =>
      [prefix, nextHop, ...asPath, med, localPref].join(' '),
    );
  });
  expect(received.sort()).toEqual(expected.sort());
  expect(world.dut.engine.counters(RECEIVER).sent[family]).toBe(received.length);
}

test.each(['ipv4', 'ipv6'] as const)(
  '%s: peers with path identifiers: the RIBs and the kernel end where a computation from scratch ends',
  (family) => {
    fc.assert(
      fc.property(
        fc.array(act, { minLength: 1, maxLength: 60, size: 'max' }),
        fc.nat(59),
        (acts, when) => {
          const world = new World(family);
          for (const [i, perform] of acts.entries()) {
            if (i === Math.min(when, acts.length - 1)) world.startReceiver();
            perform(world);
          }
          world.dut.engine.endDeferral();
          settle(world.dut, world.receiver);
          compare(world);
          world.end();
        },
      ),
      { numRuns: 80 },
    );
  },
);
