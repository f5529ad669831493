import { askForBfdStatus } from '@overland/bgp/bfd';
import { cable, netns } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { agentHost } from './support/agent.ts';
import { startFrr } from './support/frr.ts';
import { manifest } from './support/manifest.ts';
import { startPings } from './support/pings.ts';
import { until } from './support/until.ts';

/** A leaf that knows nothing of its hosts but the interfaces that they are on. */
const frrConfig = `
bfd
 profile host
  receive-interval 300
  transmit-interval 300
 !
!
router bgp 65011
 bgp router-id 10.255.0.11
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 bgp graceful-restart
 timers bgp 3 9
 neighbor swp1 interface remote-as external
 neighbor swp1 timers connect 1
 neighbor swp1 bfd profile host
 address-family ipv4 unicast
  network 10.99.1.0/24
  neighbor swp1 activate
 address-family ipv6 unicast
  network fd00:99::/64
  neighbor swp1 activate
`;

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('IPPool', 'ipv6', { cidr: 'fd00:65::/48', blockSize: 122 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
  manifest('BGPPeer', 'leaf', {
    interface: 'eth1',
    holdTime: '9s',
    bfd: { transmitInterval: '300ms', receiveInterval: '300ms' },
  }),
];

test('a BGPPeer on an interface: blocks of both families are offered, BFD watches, a restart loses nothing', async () => {
  await using leaf = await netns();
  await using host = await netns();
  await cable({ namespace: leaf, device: 'swp1' }, { namespace: host, device: 'eth1' });
  await leaf.ip('addr', 'add', '10.99.1.1/32', 'dev', 'lo');
  await host.ip('addr', 'add', '10.0.0.11/32', 'dev', 'lo');
  await using frr = await startFrr(leaf, frrConfig, { bfd: true });
  const settings = { nodeName: 'host11', asNumber: 65101, logLevel: 'info' };
  await using agent = await agentHost(host, settings, MANIFESTS);
  const route = (namespace: typeof leaf, family: '-4' | '-6', text: string) =>
    until(
      () => `there is a route ${text}: ${agent.log}`,
      async () =>
        (await namespace.ip(family, 'route')).split('\n').find((line) => line.includes(text)),
      30,
    );
  agent.start();
  expect(await route(leaf, '-4', '10.65.')).toMatch(/via inet6 fe80::\S+ dev swp1/);
  expect(await route(leaf, '-6', 'fd00:65:')).toMatch(/via fe80::\S+ dev swp1/);
  for (const [family, prefix] of [
    ['-4', '10.99.1.0/24'],
    ['-6', 'fd00:99::/64'],
  ] as const) {
    const [, id = ''] = /nhid (\d+) proto 86/.exec(await route(host, family, prefix)) ?? [];
    const object = await host.ip('nexthop', 'show', 'id', id);
    expect(object).toMatch(/via fe80::\S+ dev eth1/);
  }
  const bfd = async () =>
    (await askForBfdStatus(`${agent.stateDirectory}/bfd.sock`).catch(() => undefined))?.sessions[0];
  await until('BFD is up', async () => (await bfd())?.state === 'Up');
  expect(await bfd()).toMatchObject({ device: 'eth1', multihop: false });

  const pings = startPings(host, ['10.99.1.1']);
  await agent.kill('SIGKILL');
  agent.start();
  await until(
    () => `the session is up again: ${agent.log}`,
    async () => {
      const text = await frr.vtysh('show bgp neighbors swp1 json');
      const { bgpState, connectionsEstablished } = JSON.parse(text).swp1;
      return bgpState === 'Established' && connectionsEstablished === 2;
    },
    30,
  );
  expect(await pings.lost()).toEqual([0]);
  expect(await bfd()).toMatchObject({ timesUp: 1, timesDown: 0 });
});
