import { createRouteEngine } from '@overland/bgp';
import type { Speaker } from '@overland/bgp/node';
import { parsePrefix } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { startBird } from './support/bird.ts';
import { type Fabric, fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { startFrr } from './support/frr.ts';
import { startGobgp } from './support/gobgp.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

const BIRD = `
router id 10.0.0.1;
protocol device {}
protocol static { ipv4; route 10.99.1.0/24 blackhole; }
protocol static { ipv6; route fd00:99::/64 blackhole; }
protocol bgp host {
  local ${THEIRS.ipv4} as 65011;
  neighbor ${OURS.ipv4} as 65101;
  hold time 3; keepalive time 1; connect retry time 2; connect delay time 1; error wait time 1, 3;
  graceful restart on; graceful restart time 2;
  long lived graceful restart on; long lived stale time 3600;
  ipv4 { import all; export all; };
}
protocol bgp host6 {
  local ${THEIRS.ipv6} as 65011;
  neighbor ${OURS.ipv6} as 65101;
  hold time 3; keepalive time 1; connect retry time 2; connect delay time 1; error wait time 1, 3;
  graceful restart on; graceful restart time 2;
  long lived graceful restart on; long lived stale time 3600;
  ipv6 { import all; export all; };
}
`;

const gobgpNeighbour = (family: 'ipv4' | 'ipv6'): string => `
[[neighbors]]
  [neighbors.config]
    peer-as = 65101
    neighbor-address = "${OURS[family]}"
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
    hold-time = 3
    keepalive-interval = 1
  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = 2
    long-lived-enabled = true
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "${family}-unicast"
    [neighbors.afi-safis.mp-graceful-restart.config]
      enabled = true
    [neighbors.afi-safis.long-lived-graceful-restart.config]
      enabled = true
      restart-time = 3600
`;

const GOBGP = `
[global.config]
  as = 65011
  router-id = "10.0.0.1"
${gobgpNeighbour('ipv4')}
${gobgpNeighbour('ipv6')}
`;

const FRR = `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp graceful-restart
 bgp graceful-restart restart-time 2
 bgp long-lived-graceful-restart stale-time 3600
 timers bgp 1 3
 neighbor ${OURS.ipv4} remote-as 65101
 neighbor ${OURS.ipv4} timers connect 1
 address-family ipv4 unicast
  network 10.99.1.0/24
  neighbor ${OURS.ipv4} activate
`;

async function speakerOf(net: Fabric, families: readonly ('ipv4' | 'ipv6')[]): Promise<Speaker> {
  const base = speakerConfig(families.map((family) => peer(family, THEIRS[family])));
  const config = {
    ...base,
    originate: ['10.65.0.0/26', 'fd00:65::/64'].map(parsePrefix),
    gracefulRestart: { ...base.gracefulRestart, restartSeconds: 2, longLivedStaleSeconds: 3600 },
  };
  const speaker = await speakerIn(net.host, config, { engine: createRouteEngine(config) });
  speaker.setInterfaces(INTERFACES);
  await established(speaker, ...families);
  return speaker;
}

/** What we hold of a family from the peer: how many routes, how many of them stale, with which communities. */
async function held(speaker: Speaker, family: 'ipv4' | 'ipv6'): Promise<string> {
  const { prefixesReceived, prefixesStale } = peerOf(speaker, family);
  const page = await speaker.operator.routes({ family, limit: 10 });
  const paths = 'routes' in page ? page.routes.flatMap(({ paths: all }) => all) : [];
  const communities = paths
    .filter((path) => path.peer === family && path.refused === null)
    .flatMap((path) => path.communities);
  return [prefixesReceived[family], prefixesStale[family], ...communities].join(' ');
}

const FAMILIES = ['ipv4', 'ipv6'] as const;

async function untilHeld(speaker: Speaker, what: string): Promise<void> {
  for (const family of FAMILIES) {
    await until(`${family}: ${what}`, async () => (await held(speaker, family)) === what);
  }
}

describe('a peer that is long gone (RFC 9494)', () => {
  test('BIRD: its routes become LLGR_STALE, and are current again when it is back', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, BIRD);
    await using speaker = await speakerOf(net, FAMILIES);
    await untilHeld(speaker, '1 0');
    await bird.kill('SIGKILL');
    await untilHeld(speaker, '1 1 LLGR_STALE');
    await bird.start('-R');
    await untilHeld(speaker, '1 0');
  });

  test('GoBGP: its routes become LLGR_STALE, and are current again when it is back', async () => {
    await using net = await fabric();
    await using gobgp = await startGobgp(net.leaf, GOBGP);
    const announce = async (): Promise<void> => {
      await gobgp.gobgp('global rib add 10.99.1.0/24 -a ipv4');
      await gobgp.gobgp('global rib add fd00:99::/64 -a ipv6');
    };
    await announce();
    await using speaker = await speakerOf(net, FAMILIES);
    await untilHeld(speaker, '1 0');
    await gobgp.kill('SIGKILL');
    await untilHeld(speaker, '1 1 LLGR_STALE');
    await gobgp.start('-r');
    await announce();
    await untilHeld(speaker, '1 0');
  });

  test('FRR: its routes become LLGR_STALE', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, FRR);
    await using speaker = await speakerOf(net, ['ipv4']);
    await until('its route is here', async () => (await held(speaker, 'ipv4')) === '1 0');
    await frr.killBgpd('SIGKILL');
    await until('it is long-lived', async () => (await held(speaker, 'ipv4')) === '1 1 LLGR_STALE');
  });
});

describe('we are long gone', () => {
  test('BIRD keeps our routes as LLGR_STALE', async () => {
    await using net = await fabric();
    await using bird = await startBird(net.leaf, BIRD);
    const speaker = await speakerOf(net, FAMILIES);
    const route = (prefix: string): Promise<string> => bird.birdc(`show route all for ${prefix}`);
    await until('BIRD has ours', async () => (await route('fd00:65::/64')).includes('via'));
    await speaker.stop('restart');
    for (const prefix of ['10.65.0.0/26', 'fd00:65::/64']) {
      await until(`${prefix} is long-lived`, async () =>
        (await route(prefix)).includes('(65535,6)'),
      );
    }
    expect(await bird.birdc('show protocols all host')).toMatch(/Neighbor GR: +Long-lived/);
  });

  test('FRR keeps our routes as LLGR_STALE', async () => {
    await using net = await fabric();
    await using frr = await startFrr(net.leaf, FRR);
    const speaker = await speakerOf(net, ['ipv4']);
    const route = (): Promise<string> => frr.vtysh('show bgp ipv4 unicast 10.65.0.0/26');
    await until('FRR has ours', async () => (await route()).includes('best'));
    await speaker.stop('restart');
    await until('it is long-lived', async () => (await route()).includes('llgr-stale'));
  });

  test('GoBGP keeps our routes as LLGR_STALE', async () => {
    await using net = await fabric();
    await using gobgp = await startGobgp(net.leaf, GOBGP);
    const speaker = await speakerOf(net, FAMILIES);
    const routes = (family: string): Promise<string> => gobgp.gobgp(`global rib -a ${family}`);
    await until('GoBGP has ours', async () => (await routes('ipv6')).includes('fd00:65::/64'));
    await speaker.stop('restart');
    for (const family of FAMILIES) {
      await until(`${family} is long-lived`, async () =>
        (await routes(family)).includes('llgr-stale'),
      );
    }
  });
});
