import { type Family, parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import {
  connect,
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { type UpdateText, updateOctets } from '../../../test/update-octets.ts';
import type { NextHopMode, PeerConfig, SpeakerConfig } from '../config.ts';

const ASN = 65000;
const CLIENT = { routeReflectorClient: true };

type Kind = 'client' | 'other client' | 'non-client' | 'other non-client' | 'external';
const KINDS = ['client', 'other client', 'non-client', 'other non-client', 'external'] as const;

interface Listener {
  readonly kind: Kind;
  readonly speaker: Speaker;
}

/** A speaker with one peer of each kind, each with its own link; the peers are as deaf or as talkative as told. */
function reflector(
  change: Parameters<typeof speakerConfig>[1] = {},
  toAll: Partial<PeerConfig> = {},
) {
  const speaker = new Speaker(
    speakerConfig(ASN, { routerId: parseAddress('10.0.0.1'), ...change }),
  );
  speaker.engine.setInterfaces(
    KINDS.map((_, n) => link(`eth${n}`, [`10.1.${n}.1/24`, `fd00:1:0:${n}::1/64`])),
  );
  speaker.engine.endDeferral();
  const listeners = KINDS.map((kind, n): Listener => {
    const asn = kind === 'external' ? 65009 : ASN;
    const listener = new Speaker(speakerConfig(asn, { routerId: parseAddress(`10.0.1.${n}`) }));
    listener.engine.setInterfaces([link('eth0', [`10.1.${n}.2/24`, `fd00:1:0:${n}::2/64`])]);
    listener.engine.endDeferral();
    const config =
      kind.endsWith('-client') || kind === 'external' ? toAll : { ...CLIENT, ...toAll };
    connect(
      { speaker, asn: ASN, address: `10.1.${n}.1`, peer: n, config, routerId: '10.0.0.1' },
      { speaker: listener, asn, address: `10.1.${n}.2`, peer: 0, routerId: `10.0.1.${n}` },
    );
    return { kind, speaker: listener };
  });
  const learn = (from: Kind, update: UpdateText): void => {
    const n = KINDS.indexOf(from);
    const isIpv6 = update.announce?.[0]?.includes(':');
    const nextHop = isIpv6 ? `fd00:1:0:${n}::2` : `10.1.${n}.2`;
    const asPath = from === 'external' ? [65009] : [];
    const body = updateOctets({ nextHop, asPath, ...update });
    expect(speaker.engine.receiveUpdate(n, body)).toBeUndefined();
  };
  const settled = () => settle(speaker, ...listeners.map((listener) => listener.speaker));
  return { speaker, listeners, learn, settled };
}

/** Who has a route, in the order of {@link KINDS}. */
function holders({ listeners, settled }: ReturnType<typeof reflector>, family: Family = 'ipv4') {
  settled();
  return listeners
    .filter(({ speaker }) => speaker.routes(family).length > 0)
    .map(({ kind }) => kind);
}

const pathOf = ({ listeners }: ReturnType<typeof reflector>, kind: Kind, family: Family = 'ipv4') =>
  listeners.find((listener) => listener.kind === kind)?.speaker.routes(family)[0]?.paths[0];

const FROM_CLIENT = ['other client', 'non-client', 'other non-client'] as const;

test.each<[SpeakerConfig['role'], boolean, Kind, readonly Kind[]]>([
  ['router', true, 'client', [...FROM_CLIENT, 'external']],
  ['router', true, 'non-client', ['client', 'other client', 'external']],
  ['router', true, 'external', ['client', 'other client', 'non-client', 'other non-client']],
  ['router', false, 'client', ['non-client', 'other non-client', 'external']],
  ['router', false, 'non-client', ['client', 'other client', 'external']],
  ['reflector', true, 'client', [...FROM_CLIENT, 'external']],
  ['reflector', true, 'non-client', ['client', 'other client']],
  ['reflector', true, 'external', ['client', 'other client', 'non-client', 'other non-client']],
  ['reflector', false, 'client', ['non-client', 'other non-client', 'external']],
  ['host', true, 'client', []],
  ['host', true, 'external', []],
])(
  'role %s, client-to-client %s: a route from a %s reaches %j',
  (role, clientToClient, from, to) => {
    for (const prefix of ['10.2.0.0/26', 'fd00:2::/122']) {
      const world = reflector({ role, clientToClient });
      world.learn(from, { announce: [prefix] });
      expect(holders(world, prefix.includes(':') ? 'ipv6' : 'ipv4')).toEqual(to);
    }
  },
);

test('a reflector is no transit between two eBGP peers', () => {
  for (const [role, sent] of [
    ['router', 1],
    ['reflector', 0],
  ] as const) {
    const world = reflector({ role });
    const { engine } = world.speaker;
    const local = { asn: ASN, address: '10.1.4.1' };
    engine.peerUp(sessionWith(9, peerConfig('10.1.4.9', 65010), local));
    world.learn('external', { announce: ['10.2.0.0/26'] });
    world.settled();
    while (world.speaker.message(9));
    expect(engine.counters(9).sent.ipv4).toBe(sent);
  }
});

test('what is reflected says who brought it and by which clusters it went; nothing else changes', () => {
  for (const clusterId of [undefined, parseAddress('1.0.0.1')]) {
    const world = reflector(clusterId ? { clusterId } : {});
    const own = clusterId ?? '10.0.0.1';
    const rest = { asPath: [65007], med: 7, localPref: 300 };
    world.learn('client', { announce: ['10.2.0.0/26'], ...rest });
    world.settled();
    expect(pathOf(world, 'non-client')).toMatchObject({
      nextHop: '10.1.0.2',
      originatorId: '10.0.1.0',
      clusterList: [own],
      ...rest,
    });
    world.learn('client', {
      announce: ['10.2.0.0/26'],
      ...rest,
      communities: [1],
      originatorId: 0x0a00_0909,
      clusterList: [0x0200_0002, 0x0300_0003],
    });
    world.settled();
    expect(pathOf(world, 'other client')).toMatchObject({
      nextHop: '10.1.0.2',
      originatorId: '10.0.9.9',
      clusterList: [own, '2.0.0.2', '3.0.0.3'],
      ...rest,
    });
    expect(pathOf(world, 'external')).toMatchObject({ originatorId: null, clusterList: [] });
  }
});

test('when the same route is best from another client, its originator is told anew', () => {
  const world = reflector();
  const route = { announce: ['10.2.0.0/26'], nextHop: '10.1.0.9' };
  world.learn('client', route);
  world.learn('other client', route);
  world.settled();
  expect(pathOf(world, 'non-client')?.originatorId).toBe('10.0.1.0');
  world.learn('client', { withdraw: ['10.2.0.0/26'] });
  world.settled();
  expect(pathOf(world, 'non-client')?.originatorId).toBe('10.0.1.1');
});

test('a CLUSTER_LIST grows past a one-octet length', () => {
  const world = reflector();
  const clusterList = Array.from({ length: 63 }, (_, i) => 0x0200_0000 + i);
  world.learn('client', { announce: ['10.2.0.0/26'], clusterList, communities: [1] });
  world.settled();
  expect(pathOf(world, 'non-client')?.clusterList).toHaveLength(64);
});

test('routes from eBGP and our own are not reflected: they carry neither attribute', () => {
  const world = reflector({ originate: ['10.3.0.0/26'] });
  world.learn('external', { announce: ['10.2.0.0/26'] });
  world.settled();
  const client = world.listeners[0]?.speaker.routes('ipv4') ?? [];
  expect(client.map(({ paths }) => paths[0])).toMatchObject([
    { originatorId: null, clusterList: [] },
    { originatorId: null, clusterList: [] },
  ]);
});

test.each<[NextHopMode, Kind, Kind, 'own' | 'unchanged']>([
  ['auto', 'client', 'non-client', 'unchanged'],
  ['auto', 'external', 'client', 'unchanged'],
  ['auto', 'client', 'external', 'own'],
  ['self', 'client', 'non-client', 'unchanged'],
  ['self', 'external', 'client', 'own'],
  ['self', 'client', 'external', 'own'],
  ['force', 'client', 'non-client', 'own'],
  ['force', 'external', 'client', 'own'],
  ['force', 'client', 'external', 'own'],
  ['keep', 'external', 'client', 'unchanged'],
  ['keep', 'client', 'external', 'unchanged'],
])('next hop %s: from %s to %s it is %s', (nextHop, from, to, expected) => {
  for (const family of ['ipv4', 'ipv6'] as const) {
    const world = reflector({}, { nextHop });
    world.learn(from, { announce: [family === 'ipv4' ? '10.2.0.0/26' : 'fd00:2::/122'] });
    world.settled();
    const link = KINDS.indexOf(expected === 'own' ? to : from);
    const end = expected === 'own' ? 1 : 2;
    const address = family === 'ipv4' ? `10.1.${link}.${end}` : `fd00:1:0:${link}::${end}`;
    expect(pathOf(world, to, family)?.nextHop).toBe(parseAddress(address));
  }
});

test('loops between reflectors are refused and counted by what shows them', () => {
  const world = reflector({ clusterId: parseAddress('1.0.0.1') });
  const { engine } = world.speaker;
  world.learn('client', { announce: ['10.2.0.0/26', '10.2.1.0/26'], originatorId: 0x0a00_0001 });
  world.learn('client', { announce: ['10.2.2.0/26'], clusterList: [0x0200_0002, 0x0100_0001] });
  world.learn('client', { announce: ['10.2.3.0/26'], clusterList: [0x0a00_0001] });
  expect(holders(world)).toEqual([...FROM_CLIENT, 'external']);
  expect(world.listeners[2]?.speaker.routes('ipv4').map(({ prefix }) => prefix)).toEqual([
    '10.2.3.0/26',
  ]);
  expect(engine.counters(0)).toMatchObject({
    received: { ipv4: 1 },
    refused: { 'originator-id-loop': 2, 'cluster-list-loop': 1 },
  });
});

test('an eBGP peer has no say in reflection', () => {
  const world = reflector();
  world.learn('external', {
    announce: ['10.2.0.0/26'],
    originatorId: 0x0a00_0001,
    clusterList: [0x0a00_0001],
  });
  expect(holders(world)).toEqual(KINDS.slice(0, 4));
  expect(world.speaker.engine.counters(4).refused).toEqual({ 'attribute-discard': 2 });
});

test.each([
  ['ORIGINATOR_ID', 9, [1, 2, 3]],
  ['ORIGINATOR_ID', 9, []],
  ['CLUSTER_LIST', 10, [1, 2, 3, 4, 5]],
  ['CLUSTER_LIST', 10, []],
])('a malformed %s from an iBGP peer withdraws the route (%i, %j)', (_, code, value) => {
  const world = reflector();
  world.learn('client', { announce: ['10.2.0.0/26'] });
  expect(holders(world)).not.toEqual([]);
  const malformed = [0x80, code, value.length, ...value];
  world.learn('client', { announce: ['10.2.0.0/26'], extra: [malformed] });
  expect(holders(world)).toEqual([]);
  expect(world.speaker.engine.counters(0).refused).toEqual({ 'treat-as-withdraw': 1 });
});

test('a client that becomes one, or ceases to be, keeps its session; routes come and go', () => {
  const world = reflector({}, { routeReflectorClient: false });
  const { engine } = world.speaker;
  world.learn('client', { announce: ['10.2.0.0/26'] });
  expect(holders(world)).toEqual(['external']);
  const configure = (routeReflectorClient: boolean, change: Partial<SpeakerConfig> = {}) =>
    engine.configure({
      ...speakerConfig(ASN, { routerId: parseAddress('10.0.0.1') }),
      ...change,
      peers: [
        peerConfig('10.1.0.2', ASN, { routeReflectorClient }),
        ...[1, 2, 3].map((n) => peerConfig(`10.1.${n}.2`, ASN)),
        peerConfig('10.1.4.2', 65009),
      ],
    });
  configure(true);
  expect(holders(world)).toEqual([...FROM_CLIENT, 'external']);
  configure(true, { clusterId: parseAddress('1.0.0.1') });
  world.settled();
  expect(pathOf(world, 'non-client')?.clusterList).toEqual(['1.0.0.1']);
  configure(false);
  expect(holders(world)).toEqual(['external']);
});

test('the same route through two reflectors is one next hop for a client', () => {
  const client = new Speaker(speakerConfig(ASN, { multipath: { maxPaths: 4, relaxAsPath: true } }));
  client.engine.setInterfaces([link('eth0', ['10.1.0.1/24'])]);
  client.engine.endDeferral();
  for (const n of [2, 3]) {
    const local = { asn: ASN, address: '10.1.0.1' };
    client.engine.peerUp(sessionWith(n, peerConfig(`10.1.0.${n}`, ASN), local));
    const body = updateOctets({
      announce: ['10.2.0.0/26'],
      nextHop: '10.1.0.9',
      originatorId: 9,
      // The shorter one wins although the peer's address is higher. RFC 4456 section 9.
      clusterList: n === 2 ? [2, 4] : [3],
    });
    expect(client.engine.receiveUpdate(n, body)).toBeUndefined();
  }
  client.run();
  expect([...client.kernel.routes]).toEqual([['10.2.0.0/26', '10.1.0.9@eth0']]);
  expect(client.routes('ipv4')[0]?.paths.map(({ peer, best }) => [peer, best])).toEqual([
    ['10.1.0.3', true],
    ['10.1.0.2', false],
  ]);
});
