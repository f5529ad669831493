import type { TestNamespace } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { startBgpRun } from './support/bgp-run.ts';
import { startBird } from './support/bird.ts';
import { API, startExabgp } from './support/exabgp.ts';
import { startFrr } from './support/frr.ts';
import { startGobgp } from './support/gobgp.ts';
import { FAR, FAR_NETWORK, NEAR, type NearFar, nearFar } from './support/near-far.ts';
import { until } from './support/until.ts';

/** The link has IPv6 addresses alone. */
const OURS = 'fd00:1::';
const THEIRS = 'fd00:1::1';

const link = (): Promise<NearFar> =>
  nearFar(
    { device: 'eth1', addresses: [`${OURS}/127`] },
    { device: 'eth1', addresses: [`${THEIRS}/127`] },
  );

/** @param extendedNextHop What our side offers. */
const speakerFile = (extendedNextHop = true): string =>
  JSON.stringify({
    asn: 65101,
    routerId: '10.0.0.5',
    originate: ['10.65.0.0/26', 'fd00:65::/122'],
    peers: [
      {
        address: THEIRS,
        asn: 65011,
        families: ['ipv4', 'ipv6'],
        holdSeconds: 3,
        connectRetrySeconds: 1,
        extendedNextHop,
      },
    ],
  });

const birdConfig = `
router id 10.0.0.1;
protocol device {}
protocol kernel { ipv4 { export all; }; }
protocol static { ipv4; route ${FAR_NETWORK} blackhole; }
protocol bgp host {
  local ${THEIRS} as 65011;
  neighbor ${OURS} as 65101;
  connect retry time 1; connect delay time 1; error wait time 1, 3;
  ipv4 { import all; export all; extended next hop on; };
  ipv6 { import all; export all; };
}
`;

const frrConfig = `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 neighbor ${OURS} remote-as 65101
 neighbor ${OURS} timers connect 1
 neighbor ${OURS} capability extended-nexthop
 address-family ipv4 unicast
  network ${FAR_NETWORK}
  neighbor ${OURS} activate
 address-family ipv6 unicast
  neighbor ${OURS} activate
`;

const gobgpConfig = `
[global.config]
  as = 65011
  router-id = "10.0.0.1"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${OURS}"
    peer-as = 65101
  [neighbors.transport.config]
    local-address = "${THEIRS}"
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
    hold-time = 3
    keepalive-interval = 1
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
`;

const exabgpConfig = `
neighbor ${OURS} {
  router-id 10.0.0.1;
  local-address ${THEIRS};
  local-as 65011;
  peer-as 65101;
  hold-time 3;
  family { ipv4 unicast; ipv6 unicast; }
  capability { asn4 enable; nexthop enable; }
  nexthop { ipv4 unicast ipv6; }
  api { processes [ ${API} ]; neighbor-changes; receive { parsed; update; } }
  static { route ${FAR_NETWORK} next-hop ${THEIRS}; }
}
`;

const kernelRoute = (namespace: TestNamespace, prefix: string): Promise<string> =>
  until(`there is a route to ${prefix}`, () => namespace.ip('-4', 'route', 'show', prefix));

async function pingsWork({ host, leaf }: NearFar): Promise<void> {
  await host.exec(['ping', '-c', '2', '-W', '2', '-I', NEAR, FAR]);
  await leaf.exec(['ping', '-c', '2', '-W', '2', '-I', FAR, NEAR]);
}

test.each([
  ['BIRD', (leaf: TestNamespace) => startBird(leaf, birdConfig)],
  ['FRR', (leaf: TestNamespace) => startFrr(leaf, frrConfig)],
])('IPv4 routes over an IPv6 link with %s, and packets over them', async (_, start) => {
  await using net = await link();
  await using _peer = await start(net.leaf);
  await using _run = await startBgpRun(net.host, speakerFile());
  expect(await kernelRoute(net.host, FAR_NETWORK)).toMatch(
    /nhid \d+ via inet6 fd00:1::1 dev eth1 proto 86/,
  );
  expect(await kernelRoute(net.leaf, '10.65.0.0/26')).toMatch(/via inet6 f\S+ dev eth1/);
  await pingsWork(net);
});

test('IPv4 routes over an IPv6 link with GoBGP, which offers them to everybody', async () => {
  await using net = await link();
  await using gobgp = await startGobgp(net.leaf, gobgpConfig);
  await using run = await startBgpRun(net.host, speakerFile());
  await gobgp.gobgp(`global rib add ${FAR_NETWORK} nexthop ${THEIRS}`);
  expect(await kernelRoute(net.host, FAR_NETWORK)).toContain('via inet6 fd00:1::1 dev eth1');
  const heard = await until('GoBGP has our route', async () => {
    const text = await gobgp.gobgp(`neighbor ${OURS} adj-in -a ipv4`).catch(() => '');
    return /10\.65\.0\.0\/26.*/.exec(text)?.[0];
  });
  expect(heard).toContain('fd00:1:: ');
  // What we do not offer is not used, whatever GoBGP says.
  await run.kill('SIGTERM');
  await using plain = await startBgpRun(net.host, speakerFile(false));
  const ours = await until('GoBGP has sent its route', async () => {
    const [found] = (await plain.summary()).peers;
    const isThere = found?.refused['treat-as-withdraw'] && found.prefixesSent.ipv6 === 1;
    return isThere ? found : undefined;
  });
  expect(ours).toMatchObject({
    state: 'Established',
    timesDropped: 0,
    prefixesReceived: { ipv4: 0 },
    prefixesSent: { ipv4: 0, ipv6: 1 },
  });
});

test('IPv4 routes over an IPv6 link with ExaBGP', async () => {
  await using net = await link();
  await using exabgp = await startExabgp(net.leaf, exabgpConfig);
  await using _run = await startBgpRun(net.host, speakerFile());
  expect(await kernelRoute(net.host, FAR_NETWORK)).toContain('via inet6 fd00:1::1 dev eth1');
  await until('ExaBGP has our route', async () =>
    /"fd00:1::": \[ \{ "nlri": "10\.65\.0\.0\/26"/.test(await exabgp.heard()),
  );
});
