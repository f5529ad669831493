import { createRouteEngine, type RouteEngine } from '@overland/bgp';
import type { Asn, Family } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { API, type Exabgp, startExabgp } from './support/exabgp.ts';
import { fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { noRoutes } from './support/no-routes.ts';
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

const NEAR: Side = { asn: 65011, ours: OURS, theirs: THEIRS };

interface Options {
  /** Lines of both neighbours. */
  readonly extra?: string;
  /** ExaBGP then parts silently, and says nothing of why. */
  readonly graceful?: boolean;
}

function exabgpConfig(side: Side, { extra = '', graceful = true }: Options = {}): string {
  const neighbour = (family: Family): string => `
neighbor ${side.ours[family]} {
  router-id ${side.theirs.ipv4};
  local-address ${side.theirs[family]};
  local-as ${side.asn};
  peer-as 65101;
  hold-time 3;
  family { ${family} unicast; }
  capability { asn4 enable; route-refresh enable; ${graceful ? 'graceful-restart 20;' : ''} }
  api { processes [ ${API} ]; neighbor-changes; receive { parsed; update; } }
  ${extra}
}`;
  return neighbour('ipv4') + neighbour('ipv6');
}

const bothPeers = (change = {}) => [
  peer('leaf4', THEIRS.ipv4, change),
  peer('leaf6', THEIRS.ipv6, change),
];

/** Prefixes of the family that are in our Loc-RIB. */
const prefixes = (engine: RouteEngine, family: Family): string[] =>
  engine.routes({ family, limit: 100 }).routes.map(({ prefix }) => prefix);

test('a session for IPv4 and one for IPv6, with an AS number of four octets', async () => {
  await using net = await fabric();
  await using _ = await startExabgp(net.leaf, exabgpConfig({ ...NEAR, asn: 4200000011 }));
  const peers = bothPeers({ asn: 4200000011 as Asn });
  await using speaker = await speakerIn(net.host, speakerConfig(peers));
  await established(speaker, 'leaf4', 'leaf6');
  expect(peerOf(speaker, 'leaf4').session).toMatchObject({
    holdSeconds: 3,
    fourOctetAs: true,
    gracefulRestart: true,
  });
});

test('End-of-RIB goes both ways', async () => {
  await using net = await fabric();
  await using exabgp = await startExabgp(net.leaf, exabgpConfig(NEAR));
  const config = speakerConfig(bothPeers());
  const engine = createRouteEngine(config);
  await using speaker = await speakerIn(net.host, config, { engine });
  speaker.setInterfaces(INTERFACES);
  await established(speaker, 'leaf4', 'leaf6');
  for (const [slot, family] of (['ipv4', 'ipv6'] as const).entries()) {
    await until(`ExaBGP has sent it for ${family}`, () =>
      engine.endOfRibReceived(slot).includes(family),
    );
    await until(`ExaBGP has received it for ${family}`, async () =>
      (await exabgp.heard()).includes(`"eor": { "afi" : "${family}", "safi" : "unicast" }`),
    );
  }
});

test('protected by TCP-MD5', async () => {
  await using net = await fabric();
  await using _ = await startExabgp(
    net.leaf,
    exabgpConfig(NEAR, { extra: 'md5-password s3cret;' }),
  );
  const peers = bothPeers({ password: { value: 's3cret' }, passive: true });
  await using speaker = await speakerIn(net.host, speakerConfig(peers));
  await established(speaker, 'leaf4', 'leaf6');
});

test('routes pass through us with their attributes, and are withdrawn', async () => {
  await using net = await transit();
  await using left = await startExabgp(net.left, exabgpConfig(LEFT));
  await using right = await startExabgp(net.right, exabgpConfig(RIGHT));
  const config = speakerConfig(transitPeers(), { role: 'router' });
  const engine = createRouteEngine(config);
  await using speaker = await speakerIn(net.router, config, { engine });
  speaker.setInterfaces(TRANSIT_INTERFACES);
  await established(speaker, 'left4', 'left6', 'right4', 'right6');

  const attributes =
    'med 50 community [65011:7] large-community [4200000011:1:2] as-path [65011 4200000099]';
  for (const [family, prefix] of [
    ['ipv4', '10.99.1.0/24'],
    ['ipv6', 'fd00:99::/64'],
  ] as const) {
    const of = `neighbor ${LEFT.ours[family]}`;
    await left.tell(`${of} announce route ${prefix} next-hop self ${attributes}`);
    const update = await until(
      () => `ExaBGP has ${prefix}: ${left.log}`,
      () => lineWith(right, `"announce"`, prefix),
    );
    expect(update).toMatch(/"as-path": \[ 65101, 65011, 4200000099 \]/);
    expect(update).toContain('"community": [ [ 65011, 7 ] ]');
    expect(update).toContain('"large-community": [ [ 4200000011, 1 , 2 ] ]');
    expect(update).toContain(`"${RIGHT.ours[family]}"`);
    expect(update, 'MED is for the neighbouring AS alone').not.toContain('"med"');
    const [route] = engine.routes({ family, limit: 1 }).routes;
    expect(route?.paths[0]).toMatchObject({ asPath: [65011, 4200000099], med: 50 });

    await left.tell(`${of} withdraw route ${prefix} next-hop self`);
    await until(`${prefix} is withdrawn`, () => lineWith(right, '"withdraw"', prefix));
  }
});

/** The line of what ExaBGP's API reported that has all of the texts. */
async function lineWith(exabgp: Exabgp, ...texts: readonly string[]): Promise<string | undefined> {
  const lines = (await exabgp.heard()).split('\n');
  return lines.find((line) => texts.every((text) => line.includes(text)));
}

test('ExaBGP asks for our routes again (route refresh)', async () => {
  await using net = await fabric();
  await using exabgp = await startExabgp(net.leaf, exabgpConfig(NEAR));
  const engine = noRoutes();
  await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()), { engine });
  await established(speaker, 'leaf4', 'leaf6');
  await exabgp.tell(`neighbor ${OURS.ipv4} announce route-refresh ipv4 unicast`);
  await exabgp.tell(`neighbor ${OURS.ipv6} announce route-refresh ipv6 unicast`);
  await until('we are asked', () =>
    ['ipv4', 'ipv6'].every((family) => engine.told.includes(`refresh ${family}`)),
  );
});

// Flags that ExaBGP does not expect let it send an attribute as it is given.
describe('malformed attributes cost what RFC 7606 says, and not the session', () => {
  test.each([
    ['COMMUNITIES of three octets', '0x08 0xe0 0x010203', 'withdrawn'],
    ['LARGE_COMMUNITY of five octets', '0x20 0xe0 0x0102030405', 'withdrawn'],
    ['EXTENDED COMMUNITIES of seven octets', '0x10 0xe0 0x01020304050607', 'withdrawn'],
    ['MULTI_EXIT_DISC that is transitive', '0x04 0xc0 0x00000032', 'withdrawn'],
    ['AGGREGATOR of three octets', '0x07 0xe0 0x010203', 'kept'],
    ['an unknown attribute that is transitive', '0x99 0xe0 0x00000064', 'kept'],
  ])('%s', async (_what, attribute, fate) => {
    await using net = await fabric();
    await using exabgp = await startExabgp(net.leaf, exabgpConfig(NEAR));
    const config = speakerConfig(bothPeers());
    const engine = createRouteEngine(config);
    await using speaker = await speakerIn(net.host, config, { engine });
    speaker.setInterfaces(INTERFACES);
    await established(speaker, 'leaf4', 'leaf6');
    const of = `neighbor ${OURS.ipv4} announce route`;
    await exabgp.tell(`${of} 10.99.1.0/24 next-hop self`);
    await until('the route is here', () => prefixes(engine, 'ipv4').includes('10.99.1.0/24'));
    await exabgp.tell(`${of} 10.99.1.0/24 next-hop self attribute [ ${attribute} ]`);
    await exabgp.tell(`${of} 10.99.2.0/24 next-hop self`);
    await until(
      () => `the next one is here: ${exabgp.log}`,
      () => prefixes(engine, 'ipv4').includes('10.99.2.0/24'),
    );
    expect(prefixes(engine, 'ipv4').includes('10.99.1.0/24')).toBe(fate === 'kept');
    expect(peerOf(speaker, 'leaf4')).toMatchObject({ state: 'Established', timesDropped: 0 });
  });
});

describe('the end of a session, in words', () => {
  test('ExaBGP tears it down', async () => {
    await using net = await fabric();
    await using exabgp = await startExabgp(net.leaf, exabgpConfig(NEAR, { graceful: false }));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await exabgp.tell(`neighbor ${OURS.ipv4} teardown 2`);
    await until('it is down', () => peerOf(speaker, 'leaf4').timesDropped === 1);
    expect(peerOf(speaker, 'leaf4')).toMatchObject({
      lastError: 'received Cease/Administrative Shutdown',
      lastCommunication: 'Administrative Shutdown',
    });
  });

  // With a communication ExaBGP 4.2.21 fails to read the message: it formats octets as text.
  test('we are shut down by ours', async () => {
    await using net = await fabric();
    await using exabgp = await startExabgp(net.leaf, exabgpConfig(NEAR));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await speaker.stop('shutdown');
    const down = await until('ExaBGP has it', () => lineWith(exabgp, '"down"', OURS.ipv4));
    expect(down).toContain('notification received (6,2)');
    expect(down).toContain('Cease / Administrative Shutdown');
  });
});
