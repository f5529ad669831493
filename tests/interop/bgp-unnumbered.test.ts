import { cable, type TestNamespace } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { startBgpRun } from './support/bgp-run.ts';
import { startBird } from './support/bird.ts';
import { startFrr } from './support/frr.ts';
import { startGobgp } from './support/gobgp.ts';
import { FAR, FAR_NETWORK, NEAR, type NearFar, nearFar } from './support/near-far.ts';
import { startPings } from './support/pings.ts';
import { until } from './support/until.ts';

/** A link that has nothing but the kernel's link-local addresses. */
async function link(): Promise<NearFar> {
  const net = await nearFar({ device: 'eth1' }, { device: 'swp1' });
  await net.host.ip('addr', 'add', 'fd00:65::1/128', 'dev', 'lo', 'nodad');
  await net.leaf.ip('addr', 'add', 'fd00:99::1/128', 'dev', 'lo', 'nodad');
  return net;
}

const speakerFile = (peer: object = {}): string =>
  JSON.stringify({
    asn: 65101,
    routerId: '10.0.0.5',
    originate: ['10.65.0.0/26', 'fd00:65::/122'],
    peers: [
      { interface: 'eth1', asn: 'external', holdSeconds: 3, connectRetrySeconds: 1, ...peer },
    ],
  });

/** @param extra Lines inside `router bgp`. */
const frrConfig = (extra: readonly string[] = []) => `
router bgp 65011
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 timers bgp 1 3
 neighbor swp1 interface remote-as external
 neighbor swp1 timers connect 1
 ${extra.join('\n ')}
 address-family ipv4 unicast
  network ${FAR_NETWORK}
  neighbor swp1 activate
 address-family ipv6 unicast
  network fd00:99::/64
  neighbor swp1 activate
`;

const kernelRoute = (namespace: TestNamespace, prefix: string): Promise<string> =>
  until(`there is a route to ${prefix}`, () =>
    namespace.ip(prefix.includes(':') ? '-6' : '-4', 'route', 'show', prefix),
  );

async function pingsWork({ host, leaf }: NearFar): Promise<void> {
  await host.exec(['ping', '-c', '2', '-W', '2', '-I', NEAR, FAR]);
  await leaf.exec(['ping', '-c', '2', '-W', '2', '-I', FAR, NEAR]);
  await host.exec(['ping', '-c', '2', '-W', '2', '-I', 'fd00:65::1', 'fd00:99::1']);
}

test('unnumbered with FRR: routes of both families, and packets over them', async () => {
  await using net = await link();
  await using _frr = await startFrr(net.leaf, frrConfig());
  await using run = await startBgpRun(net.host, speakerFile());
  expect(await kernelRoute(net.host, FAR_NETWORK)).toMatch(/via inet6 fe80::\S+ dev eth1 proto 86/);
  expect(await kernelRoute(net.host, 'fd00:99::/64')).toMatch(/via fe80::\S+ dev eth1 proto 86/);
  expect(await kernelRoute(net.leaf, '10.65.0.0/26')).toMatch(/via inet6 fe80::\S+ dev swp1/);
  expect(await kernelRoute(net.leaf, 'fd00:65::/122')).toMatch(/via fe80::\S+ dev swp1/);
  await pingsWork(net);
  const { peers } = await run.summary();
  expect(peers).toMatchObject([{ name: 'eth1', asn: 65011, state: 'Established' }]);
});

test('protected by TCP-MD5, and FRR dials: the key is in force once its address is known', async () => {
  await using net = await link();
  await using _frr = await startFrr(net.leaf, frrConfig(['neighbor swp1 password s3cret']));
  await using run = await startBgpRun(net.host, speakerFile({ passive: true, password: 's3cret' }));
  await kernelRoute(net.host, FAR_NETWORK);
  expect((await run.summary()).peers).toMatchObject([{ state: 'Established' }]);
});

/** Segments that a kernel has dropped because of their signature. */
async function badSignatures(namespace: TestNamespace): Promise<number> {
  const lines = (await namespace.exec(['cat', '/proc/net/netstat'])).split('\n');
  const [names = '', values = ''] = lines.filter((line) => line.startsWith('TcpExt:'));
  return Number(values.split(' ')[names.split(' ').indexOf('TCPMD5Failure')]);
}

test('with a wrong password there is no session, whoever dials', async () => {
  await using net = await link();
  await using _frr = await startFrr(net.leaf, frrConfig(['neighbor swp1 password other']));
  await using run = await startBgpRun(net.host, speakerFile({ password: 's3cret' }));
  for (const namespace of [net.host, net.leaf]) {
    await until('the other side has dialled', () => badSignatures(namespace));
  }
  expect((await run.summary()).peers).toMatchObject([{ timesEstablished: 0, session: null }]);
});

/** A second link, with the same link-local addresses at its ends as the first. */
async function twoLinks(): Promise<NearFar> {
  const net = await link();
  await cable({ namespace: net.host, device: 'eth2' }, { namespace: net.leaf, device: 'swp2' });
  for (const [namespace, prefix, address] of [
    [net.host, 'eth', 'fe80::1/64'],
    [net.leaf, 'swp', 'fe80::2/64'],
  ] as const) {
    for (const n of [1, 2]) {
      await namespace.ip('addr', 'flush', 'dev', `${prefix}${n}`);
      await namespace.ip('addr', 'add', address, 'dev', `${prefix}${n}`, 'nodad');
    }
  }
  return net;
}

const twoPeers = (change: object = {}): string =>
  JSON.stringify({
    ...JSON.parse(speakerFile()),
    peers: [1, 2].map((n) => ({
      interface: `eth${n}`,
      asn: 65011,
      holdSeconds: 3,
      connectRetrySeconds: 1,
      ...change,
    })),
  });

const frrTwice = (extra: readonly string[] = []): string =>
  frrConfig([
    'neighbor swp2 interface remote-as external',
    'neighbor swp2 timers connect 1',
    'bgp graceful-restart',
    ...extra,
  ]).replaceAll('  neighbor swp1 activate', '  neighbor swp1 activate\n  neighbor swp2 activate');

test.each([
  ['when both dial', {}, []],
  ['when FRR dials', { passive: true }, []],
  // Neither interface is the only one that has a link-local address.
  ['when we dial', {}, ['neighbor swp1 passive', 'neighbor swp2 passive']],
])(
  'two links with the same addresses are two peers and one route, %s',
  async (_, change, extra) => {
    await using net = await twoLinks();
    await using _frr = await startFrr(net.leaf, frrTwice(extra));
    await using run = await startBgpRun(net.host, twoPeers(change));
    const route = await until('the route has both links', async () => {
      const text = await net.host.ip('-4', 'route', 'show', FAR_NETWORK);
      return text.includes('eth1') && text.includes('eth2') ? text : undefined;
    });
    expect(route.match(/via inet6 fe80::2 dev eth\d/g)).toHaveLength(2);
    await pingsWork(net);
    await net.leaf.ip('link', 'set', 'swp1', 'down');
    await until('one link is left', async () => {
      const text = await net.host.ip('-4', 'route', 'show', FAR_NETWORK);
      return text.includes('eth2') && !text.includes('eth1');
    });
    await pingsWork(net);
    await net.leaf.ip('link', 'set', 'swp1', 'up');
    // FRR answers at whatever link-local address the interface has now.
    await until('both sessions are up', async () =>
      (await run.summary()).peers.every(({ state }) => state === 'Established'),
    );
  },
);

test('a restart of ours loses no packet', async () => {
  await using net = await link();
  await using _frr = await startFrr(net.leaf, frrConfig(['bgp graceful-restart']));
  await using run = await startBgpRun(net.host, speakerFile({ holdSeconds: 9 }));
  await kernelRoute(net.host, FAR_NETWORK);
  await kernelRoute(net.leaf, '10.65.0.0/26');
  await pingsWork(net);
  const pings = startPings(net.leaf, [NEAR]);
  await run.kill('SIGKILL');
  await run.start();
  await until('the session is up again', async () =>
    (await run.summary()).peers.every(({ state }) => state === 'Established'),
  );
  expect(await pings.lost()).toEqual([0]);
});

const birdConfig = (format = '') => `
router id 10.0.0.1;
protocol device {}
protocol kernel { ipv4 { export all; }; }
protocol kernel { ipv6 { export all; }; }
protocol static { ipv4; route ${FAR_NETWORK} blackhole; }
protocol static { ipv6; route fd00:99::/64 blackhole; }
protocol bgp host {
  local as 65011;
  neighbor fe80::1%swp1 as 65101;
  connect retry time 1; connect delay time 1; error wait time 1, 3;
  ${format}
  ipv4 { import all; export all; extended next hop on; };
  ipv6 { import all; export all; };
}
`;

test.each(['native', 'single', 'double'])(
  'with BIRD at a link-local address, ours written as %s',
  async (linkLocalNextHop) => {
    await using net = await twoLinks();
    await using _bird = await startBird(net.leaf, birdConfig());
    const peer = {
      interface: undefined,
      address: 'fe80::2%eth1',
      families: ['ipv4', 'ipv6'],
      extendedNextHop: true,
      linkLocalNextHop,
    };
    await using _run = await startBgpRun(net.host, speakerFile(peer));
    expect(await kernelRoute(net.host, FAR_NETWORK)).toContain('via inet6 fe80::2 dev eth1');
    expect(await kernelRoute(net.host, 'fd00:99::/64')).toContain('via fe80::2 dev eth1');
    expect(await kernelRoute(net.leaf, '10.65.0.0/26')).toContain('via inet6 fe80::1 dev swp1');
    expect(await kernelRoute(net.leaf, 'fd00:65::/122')).toContain('via fe80::1 dev swp1');
    await pingsWork(net);
  },
);

const gobgpConfig = `
[global.config]
  as = 65011
  router-id = "10.0.0.1"
[[neighbors]]
  [neighbors.config]
    neighbor-interface = "swp1"
    peer-as = 65101
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

test('with GoBGP on an interface, which finds us by our advertisements', async () => {
  await using net = await twoLinks();
  await using run = await startBgpRun(net.host, speakerFile({ passive: true }));
  // GoBGP takes whom the kernel knows as a neighbour when it starts, and advertises nothing itself.
  await until('the kernel has heard us', async () =>
    (await net.leaf.ip('-6', 'neigh', 'show', 'dev', 'swp1')).includes('fe80::1'),
  );
  await using gobgp = await startGobgp(net.leaf, gobgpConfig);
  await gobgp.gobgp(`global rib add ${FAR_NETWORK} nexthop fe80::2`);
  expect(await kernelRoute(net.host, FAR_NETWORK)).toContain('via inet6 fe80::2 dev eth1');
  expect((await run.summary()).peers).toMatchObject([{ name: 'eth1', address: 'fe80::2' }]);
});

test('two of ours', async () => {
  await using net = await link();
  await using near = await startBgpRun(net.host, speakerFile());
  const far = { ...JSON.parse(speakerFile()), asn: 65011, routerId: '10.0.0.1' };
  const originate = [FAR_NETWORK, 'fd00:99::/64'];
  const peers = [{ interface: 'swp1', asn: 'external' }];
  await using _far = await startBgpRun(net.leaf, JSON.stringify({ ...far, originate, peers }));
  await kernelRoute(net.host, FAR_NETWORK);
  await kernelRoute(net.leaf, '10.65.0.0/26');
  await pingsWork(net);
  expect((await near.summary()).peers).toMatchObject([{ asn: 65011, awaitsRouter: false }]);
});

test('bgpd of FRR is killed: its routes stay until it is back', async () => {
  await using net = await link();
  const preserving = ['bgp graceful-restart', 'bgp graceful-restart preserve-fw-state'];
  await using frr = await startFrr(net.leaf, frrConfig(preserving));
  await using run = await startBgpRun(net.host, speakerFile());
  await kernelRoute(net.host, FAR_NETWORK);
  const peer = async () => (await run.summary()).peers[0];
  await frr.killBgpd('SIGKILL');
  await until('its routes are stale', async () => (await peer())?.prefixesStale.ipv4 === 1);
  expect(await net.host.ip('-4', 'route', 'show', FAR_NETWORK)).toContain('via inet6 fe80::');
  await frr.startBgpd();
  await until(
    () => `its routes are current: ${run.log}`,
    async () => {
      const { state, prefixesReceived, prefixesStale } = (await peer()) ?? {};
      return state === 'Established' && prefixesReceived?.ipv4 === 1 && prefixesStale?.ipv4 === 0;
    },
    30,
  );
  expect(await net.host.ip('-4', 'route', 'show', FAR_NETWORK)).toContain('via inet6 fe80::');
});
