import fc from 'fast-check';
import { compare } from './model-comparison.ts';
import { ASN, CLUSTERS, PREFIXES, RECEIVER, ROUTER_ID, type World } from './model-world.ts';
import { POLICIES, SAFE } from './naive-filters.ts';
import type { NaiveAttributes, NaivePeer } from './naive-rib.ts';
import { settle } from './two-speakers.ts';
import { endOfRibOctets, updateOctets } from './update-octets.ts';

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
  { asPath: [65001], origin: 0, communities: [0xffff_0006] },
  { asPath: [65002], origin: 0, communities: [0xffff_0007] },
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

/** Something that happens to the engine and to the model. */
export type Act = (world: World) => void;

const anyPeer = fc.nat(2);
const anyPrefixes = fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 5 });

export const anyAct: fc.Arbitrary<Act> = fc.oneof(
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
  {
    weight: 2,
    arbitrary: anyPeer.map(
      (p): Act =>
        (world) => {
          const peer = world.peers[p] as NaivePeer;
          if (peer.up) return;
          peer.longLived = true;
          world.dut.engine.beginLongLived(peer.addressRank, [world.family]);
        },
    ),
  },
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
