import { createRouteEngine } from '@overland/bgp';
import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { startBird } from './support/bird.ts';
import { API, startExabgp } from './support/exabgp.ts';
import { type Fabric, fabric, INTERFACES, OURS, THEIRS } from './support/fabric.ts';
import { startFrr } from './support/frr.ts';
import { startOpenbgpd } from './support/openbgpd.ts';
import { established, peer, peerOf, speakerConfig, speakerIn } from './support/speaker.ts';
import { until } from './support/until.ts';

const BIRD = `
router id 10.0.0.1;
protocol device {}
protocol bgp host {
  local ${THEIRS.ipv4} as 65011;
  neighbor ${OURS.ipv4} as 65101;
  hold time 3; keepalive time 1; connect retry time 2; connect delay time 1; error wait time 1, 3;
  ipv4 { import all; export none; };
}
`;

const FRR = `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 timers bgp 1 3
 neighbor ${OURS.ipv4} remote-as 65101
 neighbor ${OURS.ipv4} timers connect 1
 address-family ipv4 unicast
  neighbor ${OURS.ipv4} activate
`;

async function speakerOf(net: Fabric) {
  const config = speakerConfig([peer('leaf4', THEIRS.ipv4)], {
    originate: ['10.65.0.0/26', '10.66.0.0/26'].map(parsePrefix),
  });
  const speaker = await speakerIn(net.host, config, { engine: createRouteEngine(config) });
  speaker.setInterfaces(INTERFACES);
  await established(speaker, 'leaf4');
  expect(peerOf(speaker, 'leaf4').session?.enhancedRefresh).toBe(true);
  return speaker;
}

test('BIRD asks for them again: it hears where they begin and end, and keeps them (RFC 7313)', async () => {
  await using net = await fabric();
  await using leaf = await startBird(net.leaf, BIRD);
  await using speaker = await speakerOf(net);
  const routes = async (): Promise<number> =>
    [...(await leaf.birdc('show route')).matchAll(/10\.6[56]\.0\.0\/26/g)].length;
  await until('BIRD has ours', async () => (await routes()) === 2);
  await leaf.birdc('reload in host');
  await until('it is answered', () => peerOf(speaker, 'leaf4').sent.routeRefresh === 2);
  await until('BIRD has heard the end', async () =>
    /Import updates: +4 /.test(await leaf.birdc('show protocols all host')),
  );
  expect(await routes()).toBe(2);
  expect(peerOf(speaker, 'leaf4')).toMatchObject({ state: 'Established', timesDropped: 0 });
});

test('FRR asks for them again: it hears where they begin and end, and keeps them (RFC 7313)', async () => {
  await using net = await fabric();
  await using leaf = await startFrr(net.leaf, FRR);
  await using _speaker = await speakerOf(net);
  const ours = (): Promise<string> => leaf.vtysh('show bgp ipv4 unicast');
  await until('FRR has ours', async () => /10\.65.*\n.*10\.66/.test(await ours()));
  await leaf.vtysh(`clear bgp ipv4 unicast ${OURS.ipv4} soft in`);
  const { neighborCapabilities, messageStats } = await until('FRR has heard both', async () => {
    const text = await leaf.vtysh(`show bgp neighbors ${OURS.ipv4} json`);
    const state = (JSON.parse(text) as Record<string, FrrNeighbour>)[OURS.ipv4];
    return state?.messageStats.routeRefreshRecv === 2 ? state : undefined;
  });
  expect(neighborCapabilities.enhancedRouteRefresh).toBe('advertisedAndReceived');
  expect(messageStats.notificationsSent).toBe(0);
  expect(await ours()).toMatch(/10\.65.*\n.*10\.66/);
});

interface FrrNeighbour {
  readonly neighborCapabilities: { readonly enhancedRouteRefresh?: string };
  readonly messageStats: {
    readonly routeRefreshRecv: number;
    readonly notificationsSent: number;
  };
}

test('OpenBGPD asks for them again: it hears where they begin and end, and keeps them (RFC 7313)', async () => {
  await using net = await fabric();
  await using leaf = await startOpenbgpd(
    net.leaf,
    lines(
      'AS 65011',
      `router-id ${THEIRS.ipv4}`,
      'holdtime 3',
      'connect-retry 1',
      `neighbor ${OURS.ipv4} {`,
      'remote-as 65101',
      `local-address ${THEIRS.ipv4}`,
      'announce enhanced refresh yes',
      '}',
      'allow from any',
      'allow to any',
      '',
    ),
  );
  await using speaker = await speakerOf(net);
  const ours = (): Promise<string> => leaf.bgpctl('show', 'rib');
  await until('OpenBGPD has ours', async () => /10\.65.*\n.*10\.66/.test(await ours()));
  await leaf.bgpctl('neighbor', OURS.ipv4, 'refresh');
  await until('it is answered', () => peerOf(speaker, 'leaf4').sent.routeRefresh === 2);
  await until('OpenBGPD has heard both', async () =>
    /Begin-of-RR +0 +1\s+End-of-RR +0 +1\b/.test(await leaf.bgpctl('show', 'neighbor', OURS.ipv4)),
  );
  expect(await ours()).toMatch(/10\.65.*\n.*10\.66/);
  expect(peerOf(speaker, 'leaf4')).toMatchObject({ state: 'Established', timesDropped: 0 });
});

test('ExaBGP asks for them again: it is told where they begin and end (RFC 7313)', async () => {
  await using net = await fabric();
  await using leaf = await startExabgp(
    net.leaf,
    lines(
      `neighbor ${OURS.ipv4} {`,
      `router-id ${THEIRS.ipv4}; local-address ${THEIRS.ipv4}; local-as 65011; peer-as 65101;`,
      'hold-time 3;',
      'family { ipv4 unicast; }',
      'capability { route-refresh enable; }',
      `api { processes [ ${API} ]; receive { parsed; update; refresh; } }`,
      '}',
    ),
  );
  await using speaker = await speakerOf(net);
  await leaf.tell(`neighbor ${OURS.ipv4} announce route-refresh ipv4 unicast`);
  for (const what of ['begin', 'end']) {
    await until(
      () => `ExaBGP has heard ${what}: ${leaf.log}`,
      // It quotes them twice.
      async () => new RegExp(`"refresh".*"subtype": "+${what}`).test(await leaf.heard()),
    );
  }
  expect(peerOf(speaker, 'leaf4')).toMatchObject({ state: 'Established', timesDropped: 0 });
});

const lines = (...given: readonly string[]): string => given.join('\n');
