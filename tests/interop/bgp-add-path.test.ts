import { createRouteEngine, type RouteEngine, type SpeakerConfig } from '@overland/bgp';
import type { TestNamespace } from '@overland/linux/testing';
import type { Family } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { type Bird, startBird } from './support/bird.ts';
import { API, startExabgp } from './support/exabgp.ts';
import { fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { startFrr } from './support/frr.ts';
import { startGobgp } from './support/gobgp.ts';
import { startOpenbgpd } from './support/openbgpd.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import {
  LEFT,
  RIGHT,
  type Side,
  TRANSIT_INTERFACES,
  transit,
  transitPeers,
} from './support/transit.ts';
import { until } from './support/until.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
const PREFIX = { ipv4: '10.99.1.0/24', ipv6: 'fd00:99::/64' } as const;
const SOURCES = ['one', 'two', 'three'] as const;
const NEAR: Side = { asn: 65011, ours: OURS, theirs: THEIRS };
/** What the router in the middle is to its neighbours. */
const MIDDLE_ASN = 65101;

const bothPeers = (change = {}) => [
  peer('leaf4', THEIRS.ipv4, change),
  peer('leaf6', THEIRS.ipv6, change),
];

/** A speaker of ours whose routes can be seen. */
async function routingSpeaker(
  namespace: TestNamespace,
  config: SpeakerConfig,
  interfaces = INTERFACES,
) {
  const engine = createRouteEngine(config);
  const speaker = await speakerIn(namespace, config, { engine });
  speaker.setInterfaces(interfaces);
  return { engine, speaker, [Symbol.asyncDispose]: () => speaker.stop('shutdown') };
}

/** The paths of the prefix that we have: the communities that tell them apart, if each has an identifier of its own. */
function paths(engine: RouteEngine, family: Family): string {
  const { routes } = engine.routes({ family, limit: 10 });
  const found = routes.find(({ prefix }) => prefix === PREFIX[family])?.paths ?? [];
  const identifiers = new Set(found.map(({ pathId }) => pathId).filter((id) => id !== null));
  const marks = found.flatMap(({ communities }) => communities).toSorted();
  return `${marks.join(' ')}${identifiers.size === found.length ? '' : ' without identifiers'}`;
}

const ALL = '65011:1 65011:2 65011:3';
const WITHOUT_TWO = '65011:1 65011:3';

/** BIRD with routes of one prefix from several of its protocols, told apart by a community. */
function birdConfig(side: Side, channel: string, sources: readonly string[] = []): string {
  const statics = sources.flatMap((name) =>
    FAMILIES.map(
      (family) => `
protocol static ${name}_${family} { ${family}; route ${PREFIX[family]} blackhole; }`,
    ),
  );
  const marks = (family: Family): string =>
    SOURCES.map(
      (name, i) => `if proto = "${name}_${family}" then bgp_community.add((65011, ${i + 1}));`,
    ).join('\n    ');
  const sessions = FAMILIES.map(
    (family) => `
protocol bgp on_${family} {
  local ${side.theirs[family]} as ${side.asn};
  neighbor ${side.ours[family]} as ${MIDDLE_ASN};
  hold time 3; keepalive time 1; connect retry time 2; connect delay time 1; error wait time 1, 3;
  ${family} { import all; ${channel} export filter {
    ${marks(family)}
    accept;
  }; };
}`,
  );
  return [`router id ${side.theirs.ipv4};\nprotocol device {}`, ...statics, ...sessions].join('\n');
}

/** How many paths of a prefix a peer has from us. */
type Count = (family: Family) => Promise<number>;

/**
 * BIRD on the left gives us three paths of a prefix, and takes one back; all go on to whoever is on the right.
 */
async function sendsOn(
  startRight: (namespace: TestNamespace) => Promise<{ count: Count } & AsyncDisposable>,
): Promise<void> {
  await using net = await transit();
  await using left = await startBird(net.left, birdConfig(LEFT, 'add paths tx;', SOURCES));
  await using right = await startRight(net.right);
  const peers = transitPeers().map((one) => ({
    ...one,
    addPath: one.name.startsWith('left')
      ? { receive: true }
      : { receive: false, send: 'all' as const },
  }));
  const config = speakerConfig(peers, { role: 'router' });
  await using ours = await routingSpeaker(net.router, config, TRANSIT_INTERFACES);
  await established(ours.speaker, 'left4', 'left6', 'right4', 'right6');
  for (const family of FAMILIES) {
    expect(peerOf(ours.speaker, family === 'ipv4' ? 'right4' : 'right6').session?.addPath).toEqual({
      receive: [],
      send: [family],
    });
    await until(`three ${family} paths`, async () => (await right.count(family)) === 3);
  }
  await left.configure(birdConfig(LEFT, 'add paths tx;', ['one', 'three']));
  for (const family of FAMILIES) {
    await until(`two ${family} paths`, async () => (await right.count(family)) === 2);
  }
}

/**
 * BIRD on the left gives three paths of a prefix to the router in the middle, and takes one back; we are on the right,
 * and get all from there.
 */
async function receivesFrom(
  startMiddle: (namespace: TestNamespace) => Promise<AsyncDisposable>,
): Promise<void> {
  await using net = await transit();
  await using left: Bird = await startBird(net.left, birdConfig(LEFT, 'add paths tx;', SOURCES));
  await using _ = await startMiddle(net.router);
  const addPath = { receive: true };
  const peers = [
    peer('middle4', RIGHT.ours.ipv4, { asn: MIDDLE_ASN as never, addPath }),
    peer('middle6', RIGHT.ours.ipv6, { asn: MIDDLE_ASN as never, addPath }),
  ];
  const config = speakerConfig(peers, { asn: RIGHT.asn as never });
  await using ours = await routingSpeaker(net.right, config);
  await established(ours.speaker, 'middle4', 'middle6');
  for (const family of FAMILIES) {
    await until(
      () => `three paths: ${paths(ours.engine, family)}`,
      () => paths(ours.engine, family) === ALL,
    );
  }
  await left.configure(birdConfig(LEFT, 'add paths tx;', ['one', 'three']));
  for (const family of FAMILIES) {
    await until(
      () => `two paths: ${paths(ours.engine, family)}`,
      () => paths(ours.engine, family) === WITHOUT_TWO,
    );
  }
}

/** Occurrences of the mark of a path. */
const marksIn = (text: string): number => text.match(/65011[:,] ?[123]\b/g)?.length ?? 0;

describe('BIRD', () => {
  test('BIRD sends several paths, and takes one back', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, birdConfig(NEAR, 'add paths tx;', SOURCES));
    const config = speakerConfig(bothPeers({ addPath: { receive: true } }));
    await using ours = await routingSpeaker(net.host, config);
    await established(ours.speaker, 'leaf4', 'leaf6');
    expect(peerOf(ours.speaker, 'leaf4').session?.addPath).toEqual({ receive: ['ipv4'], send: [] });
    for (const family of FAMILIES) {
      await until(
        () => `three paths: ${paths(ours.engine, family)}`,
        () => paths(ours.engine, family) === ALL,
      );
    }
    await bird.configure(birdConfig(NEAR, 'add paths tx;', ['one', 'three']));
    for (const family of FAMILIES) {
      await until('two paths', () => paths(ours.engine, family) === WITHOUT_TWO);
    }
  });

  test('a session without add-path on either side has one path', async () => {
    await using net = await fabric();
    await using _ = await startBird(net.leaf, birdConfig(NEAR, '', ['one', 'two']));
    const config = speakerConfig(bothPeers({ addPath: { receive: true, send: 'all' } }));
    await using ours = await routingSpeaker(net.host, config);
    await established(ours.speaker, 'leaf4', 'leaf6');
    for (const family of FAMILIES) {
      await until(
        () => `one path: ${paths(ours.engine, family)}`,
        () => /^65011:\d without identifiers$/.test(paths(ours.engine, family)),
      );
    }
  });

  test('BIRD takes several paths from us', () =>
    sendsOn(async (namespace) => {
      const bird = await startBird(namespace, birdConfig(RIGHT, 'add paths rx;'));
      return {
        count: async (family) => marksIn(await bird.birdc(`show route for ${PREFIX[family]} all`)),
        [Symbol.asyncDispose]: () => bird[Symbol.asyncDispose](),
      };
    }));
});

/** FRR with neighbours of the sides that are given. */
function frrConfig(asn: number, ends: readonly { address: string; asn: number }[]): string {
  const in4 = ends.filter(({ address }) => !address.includes(':'));
  const in6 = ends.filter(({ address }) => address.includes(':'));
  const family = (name: Family, neighbours: typeof ends): string => `
 address-family ${name} unicast
  ${neighbours.map(({ address }) => `neighbor ${address} activate\n  neighbor ${address} addpath-tx-all-paths`).join('\n  ')}
 exit-address-family`;
  return `
router bgp ${asn}
 bgp router-id 10.0.0.7
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 timers bgp 1 3
 ${ends.map((end) => `neighbor ${end.address} remote-as ${end.asn}\n neighbor ${end.address} timers connect 1`).join('\n ')}
 ${family('ipv4', in4)}
 ${family('ipv6', in6)}
`;
}

const MIDDLE_ENDS = [LEFT, RIGHT].flatMap(({ asn, theirs }) =>
  FAMILIES.map((family) => ({ address: theirs[family], asn, family })),
);
const RIGHT_ENDS = FAMILIES.map((family) => ({
  address: RIGHT.ours[family],
  asn: MIDDLE_ASN,
  family,
}));

describe('FRR', () => {
  test('FRR sends several paths, and takes one back', () =>
    receivesFrom((namespace) => startFrr(namespace, frrConfig(MIDDLE_ASN, MIDDLE_ENDS))));

  test('FRR takes several paths from us', () =>
    sendsOn(async (namespace) => {
      const frr = await startFrr(namespace, frrConfig(RIGHT.asn, RIGHT_ENDS));
      return {
        count: async (family) =>
          marksIn(await frr.vtysh(`show bgp ${family} unicast ${PREFIX[family]}`)),
        [Symbol.asyncDispose]: () => frr[Symbol.asyncDispose](),
      };
    }));
});

function gobgpConfig(asn: number, ends: typeof MIDDLE_ENDS): string {
  const neighbours = ends.map(
    ({ address, asn: theirs, family }) => `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${address}"
    peer-as = ${theirs}
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
    hold-time = 3
    keepalive-interval = 1
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "${family}-unicast"
    [neighbors.afi-safis.add-paths.config]
      receive = true
      send-max = 8
`,
  );
  return `
[global.config]
  as = ${asn}
  router-id = "10.0.0.7"
${neighbours.join('')}`;
}

describe('GoBGP', () => {
  test('GoBGP sends several paths, and takes one back', () =>
    receivesFrom((namespace) => startGobgp(namespace, gobgpConfig(MIDDLE_ASN, MIDDLE_ENDS))));

  test('GoBGP takes several paths from us', () =>
    sendsOn(async (namespace) => {
      const gobgp = await startGobgp(namespace, gobgpConfig(RIGHT.asn, RIGHT_ENDS));
      return {
        count: async (family) => marksIn(await gobgp.gobgp(`global rib -a ${family}`)),
        [Symbol.asyncDispose]: () => gobgp[Symbol.asyncDispose](),
      };
    }));
});

function openbgpdConfig(asn: number, ends: typeof MIDDLE_ENDS): string {
  const neighbours = ends.map(
    ({ address, asn: theirs, family }) => `
neighbor ${address} {
  remote-as ${theirs}
  announce ${family === 'ipv4' ? 'IPv4 unicast' : 'IPv6 unicast'}
  announce ${family === 'ipv4' ? 'IPv6 none' : 'IPv4 none'}
  announce add-path recv yes
  announce add-path send all
}`,
  );
  return `
AS ${asn}
router-id 10.0.0.7
holdtime 3
connect-retry 1
${neighbours.join('')}
allow from any
allow to any
`;
}

describe('OpenBGPD', () => {
  test('OpenBGPD sends several paths, and takes one back', () =>
    receivesFrom((namespace) => startOpenbgpd(namespace, openbgpdConfig(MIDDLE_ASN, MIDDLE_ENDS))));

  test('OpenBGPD takes several paths from us', () =>
    sendsOn(async (namespace) => {
      const openbgpd = await startOpenbgpd(namespace, openbgpdConfig(RIGHT.asn, RIGHT_ENDS));
      return {
        count: async (family) =>
          marksIn(await openbgpd.bgpctl('show', 'rib', 'detail', PREFIX[family])),
        [Symbol.asyncDispose]: () => openbgpd[Symbol.asyncDispose](),
      };
    }));
});

function exabgpConfig(side: Side): string {
  const neighbour = (family: Family): string => `
neighbor ${side.ours[family]} {
  router-id ${side.theirs.ipv4};
  local-address ${side.theirs[family]};
  local-as ${side.asn};
  peer-as ${MIDDLE_ASN};
  hold-time 3;
  family { ${family} unicast; }
  capability { asn4 enable; route-refresh enable; add-path send/receive; }
  api { processes [ ${API} ]; neighbor-changes; receive { parsed; update; } }
}`;
  return neighbour('ipv4') + neighbour('ipv6');
}

describe('ExaBGP', () => {
  test('ExaBGP sends several paths, and takes one back', async () => {
    await using net = await fabric();
    await using exabgp = await startExabgp(net.leaf, exabgpConfig(NEAR));
    const config = speakerConfig(bothPeers({ addPath: { receive: true } }));
    await using ours = await routingSpeaker(net.host, config);
    await established(ours.speaker, 'leaf4', 'leaf6');
    for (const family of FAMILIES) {
      const of = `neighbor ${OURS[family]}`;
      const route = (n: number): string =>
        `route ${PREFIX[family]} next-hop self path-information 0.0.0.${n} community [65011:${n}]`;
      for (const n of [1, 2, 3]) await exabgp.tell(`${of} announce ${route(n)}`);
      await until(
        () => `three paths: ${paths(ours.engine, family)} ${exabgp.log}`,
        () => paths(ours.engine, family) === ALL,
      );
      await exabgp.tell(`${of} withdraw ${route(2)}`);
      await until('two paths', () => paths(ours.engine, family) === WITHOUT_TWO);
    }
  });

  test('ExaBGP takes several paths from us', () =>
    sendsOn(async (namespace) => {
      const exabgp = await startExabgp(namespace, exabgpConfig(RIGHT));
      return {
        async count(family) {
          const has = new Set<string>();
          for (const line of (await exabgp.heard()).split('\n')) {
            if (!line.includes(PREFIX[family])) continue;
            const [, withdrawn = ''] = line.split('"withdraw"');
            for (const [, id = ''] of line.matchAll(/"path-information": "([\d.]+)"/g)) {
              if (withdrawn.includes(`"${id}"`)) has.delete(id);
              else has.add(id);
            }
          }
          return has.size;
        },
        [Symbol.asyncDispose]: () => exabgp[Symbol.asyncDispose](),
      };
    }));
});
