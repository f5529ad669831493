import { createRouteEngine } from '@overland/bgp';
import type { Speaker } from '@overland/bgp/node';
import { type Asn, parsePrefix } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { type Gobgp, startGobgp } from './support/gobgp.ts';
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
  /** Lines of `[neighbors.config]` and of `[neighbors.transport.config]`. */
  readonly neighbour?: string;
  readonly transport?: string;
}

function gobgpConfig(side: Side, { neighbour = '', transport = '' }: Options = {}): string {
  const neighbor = (family: 'ipv4' | 'ipv6'): string => `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${side.ours[family]}"
    peer-as = 65101
    ${neighbour}
  [neighbors.transport.config]
    local-address = "${side.theirs[family]}"
    ${transport}
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
    hold-time = 3
    keepalive-interval = 1
  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = 20
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "${family}-unicast"
    [neighbors.afi-safis.mp-graceful-restart.config]
      enabled = true
`;
  return `
[global.config]
  as = ${side.asn}
  router-id = "${side.theirs.ipv4}"
${neighbor('ipv4')}
${neighbor('ipv6')}
`;
}

const bothPeers = (change = {}) => [
  peer('leaf4', THEIRS.ipv4, change),
  peer('leaf6', THEIRS.ipv6, change),
];

/** GoBGP's numbers: RFC 4271 section 4.2 and 8.2.2. */
const ESTABLISHED = 6;

interface GobgpNeighbour {
  readonly state: { readonly session_state?: number };
}

const gobgpUp = (gobgp: Gobgp, { ours }: Side): Promise<unknown> =>
  until('GoBGP is Established', async () => {
    for (const address of [ours.ipv4, ours.ipv6]) {
      const neighbour = JSON.parse(await gobgp.gobgp(`neighbor ${address} -j`)) as GobgpNeighbour;
      if (neighbour.state.session_state !== ESTABLISHED) return false;
    }
    return true;
  });

const held = (speaker: Speaker, name: string, family: 'ipv4' | 'ipv6'): string => {
  const { prefixesReceived, prefixesStale } = peerOf(speaker, name);
  return `${prefixesReceived[family]} paths, ${prefixesStale[family]} stale`;
};

const announce = async (gobgp: Gobgp): Promise<void> => {
  await gobgp.gobgp(`global rib add 10.99.1.0/24 nexthop ${THEIRS.ipv4}`);
  await gobgp.gobgp(`global rib add -a ipv6 fd00:99::/64 nexthop ${THEIRS.ipv6}`);
};

describe('sessions come up for IPv4 and IPv6', () => {
  test('when we dial', async () => {
    await using net = await fabric();
    const config = gobgpConfig(NEAR, { transport: 'passive-mode = true' });
    await using gobgp = await startGobgp(net.leaf, config);
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await gobgpUp(gobgp, NEAR);
  });

  // It waits 5 to 10 s before it dials, whatever the configuration says.
  test('when GoBGP dials', async () => {
    await using net = await fabric();
    await using gobgp = await startGobgp(net.leaf, gobgpConfig(NEAR));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers({ passive: true })));
    await established(speaker, 'leaf4', 'leaf6');
    await gobgpUp(gobgp, NEAR);
  });

  test('protected by TCP-MD5', async () => {
    await using net = await fabric();
    const config = gobgpConfig(NEAR, { neighbour: 'auth-password = "s3cret"' });
    await using gobgp = await startGobgp(net.leaf, config);
    const peers = bothPeers({ password: { value: 's3cret' } });
    await using speaker = await speakerIn(net.host, speakerConfig(peers));
    await established(speaker, 'leaf4', 'leaf6');
    await gobgpUp(gobgp, NEAR);
  });
});

test('routes pass through us with their attributes, and are withdrawn', async () => {
  await using net = await transit();
  await using left = await startGobgp(net.left, gobgpConfig(LEFT));
  await using right = await startGobgp(net.right, gobgpConfig(RIGHT));
  const config = speakerConfig(transitPeers(), { role: 'router' });
  const engine = createRouteEngine(config);
  await using speaker = await speakerIn(net.router, config, { engine });
  speaker.setInterfaces(TRANSIT_INTERFACES);
  await established(speaker, 'left4', 'left6', 'right4', 'right6');

  const attributes =
    'aspath 4200000099,65099 med 50 community 65011:7,no-peer large-community 4200000011:1:2';
  await left.gobgp(`global rib add 10.99.1.0/24 nexthop ${LEFT.theirs.ipv4} ${attributes}`);
  await left.gobgp(`global rib add -a ipv6 fd00:99::/64 nexthop ${LEFT.theirs.ipv6} ${attributes}`);
  for (const [family, prefix] of [
    ['ipv4', '10.99.1.0/24'],
    ['ipv6', 'fd00:99::/64'],
  ] as const) {
    const shown = await until(`GoBGP has ${prefix}`, async () => {
      const table = await right.gobgp(`global rib -a ${family}`);
      return table.includes(prefix) ? table : '';
    });
    expect(shown).toContain(RIGHT.ours[family]);
    expect(shown).toContain('65101 65011 4200000099 65099');
    expect(shown).toMatch(/Communities: 65011:7, no-peer/);
    expect(shown).toContain('4200000011:1:2');
    expect(shown, 'MED is for the neighbouring AS alone').not.toContain('Med');
    const [route] = engine.routes({ family, limit: 1 }).routes;
    expect(route?.paths[0]).toMatchObject({
      asPath: [65011, 4200000099, 65099],
      med: 50,
      nextHop: LEFT.theirs[family],
    });
  }

  await left.gobgp('global rib del 10.99.1.0/24');
  await left.gobgp('global rib del -a ipv6 fd00:99::/64');
  for (const family of ['ipv4', 'ipv6']) {
    await until(`GoBGP has no ${family} left`, async () =>
      (await right.gobgp(`global rib -a ${family}`)).includes('not in table'),
    );
  }
});

test('an AS number of four octets', async () => {
  await using net = await fabric();
  await using _gobgp = await startGobgp(net.leaf, gobgpConfig({ ...NEAR, asn: 4200000011 }));
  const peers = bothPeers({ asn: 4200000011 as Asn });
  await using speaker = await speakerIn(net.host, speakerConfig(peers));
  await established(speaker, 'leaf4', 'leaf6');
});

describe('graceful restart', () => {
  test('GoBGP is killed: its routes stay as stale, and are current again when it is back', async () => {
    await using net = await fabric();
    await using gobgp = await startGobgp(net.leaf, gobgpConfig(NEAR));
    const config = speakerConfig(bothPeers());
    const engine = createRouteEngine(config);
    await using speaker = await speakerIn(net.host, config, { engine });
    speaker.setInterfaces(INTERFACES);
    await announce(gobgp);
    await until('routes are here', () => held(speaker, 'leaf4', 'ipv4') === '1 paths, 0 stale');
    await until('IPv6 too', () => held(speaker, 'leaf6', 'ipv6') === '1 paths, 0 stale');

    await gobgp.kill('SIGKILL');
    await until('they are stale', () => held(speaker, 'leaf4', 'ipv4') === '1 paths, 1 stale');
    await gobgp.start('-r');
    await announce(gobgp);
    await established(speaker, 'leaf4', 'leaf6');
    await until('they are not', () => held(speaker, 'leaf4', 'ipv4') === '1 paths, 0 stale');
    await until('IPv6 too', () => held(speaker, 'leaf6', 'ipv6') === '1 paths, 0 stale');
  });

  test('we go silently: GoBGP keeps our routes as stale', async () => {
    await using net = await fabric();
    await using gobgp = await startGobgp(net.leaf, gobgpConfig(NEAR));
    const config = speakerConfig(bothPeers(), { originate: [parsePrefix('10.65.0.0/26')] });
    const engine = createRouteEngine(config);
    await using speaker = await speakerIn(net.host, config, { engine });
    speaker.setInterfaces(INTERFACES);
    const ours = (): Promise<string> => gobgp.gobgp('global rib -a ipv4');
    await until('GoBGP has ours', async () => (await ours()).includes('*> 10.65.0.0/26'));
    await speaker.stop('restart');
    await until('it is stale', async () => /S\*?> *10\.65\.0\.0\/26/.test(await ours()));
  });
});

describe('the end of a session, in words', () => {
  test('GoBGP is shut down by its operator', async () => {
    await using net = await fabric();
    await using gobgp = await startGobgp(net.leaf, gobgpConfig(NEAR));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await gobgp.gobgp(`neighbor ${OURS.ipv4} --reason noon shutdown`);
    await until('it is down', () => peerOf(speaker, 'leaf4').timesDropped === 1);
    expect(peerOf(speaker, 'leaf4')).toMatchObject({
      lastError: 'received Cease/Administrative Shutdown',
      lastCommunication: 'noon',
    });
  });

  test('we are shut down by ours', async () => {
    await using net = await fabric();
    await using gobgp = await startGobgp(net.leaf, gobgpConfig(NEAR));
    await using speaker = await speakerIn(net.host, speakerConfig(bothPeers()));
    await established(speaker, 'leaf4', 'leaf6');
    await gobgpUp(gobgp, NEAR);
    await speaker.stop('shutdown', 'moving house');
    await until('GoBGP has it', () =>
      /"Communicated-Reason":"moving house".*"Subcode":2/.test(gobgp.log),
    );
  });
});
