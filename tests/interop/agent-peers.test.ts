import { join } from 'node:path';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureRun } from '../../packages/cli/src/testing/captured-run.ts';
import { type AgentHost, agentHost } from './support/agent.ts';
import { startBird } from './support/bird.ts';
import { manifest } from './support/manifest.ts';
import { until } from './support/until.ts';

/** Behind the leaf, on no link of the host. */
const FAR = '10.8.0.1';
const GATEWAY = '10.254.41.10';
const HOST = '10.254.41.11';
const PEERING = '10.7.7.7';

const birdConfig = (local: string, asn: number, neighbor: string, route: string): string => `
router id ${local};
protocol device { scan time 10; }
protocol static { ipv4; route ${route} blackhole; }
protocol bgp host {
  local ${local} as ${asn}; hold time 9; multihop 5;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  neighbor ${neighbor} as 65101;
  ipv4 { import all; export where source = RTS_STATIC; };
}
`;

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('BGPConfiguration', 'default', {
    nodeToNodeMeshEnabled: false,
    localWorkloadPeeringIPV4: PEERING,
  }),
  manifest('BGPPeer', 'far', {
    node: 'host41',
    asNumber: 65012,
    sourceAddress: 'None',
    holdTime: '9s',
    peerIP: FAR,
    reachableBy: GATEWAY,
  }),
  manifest('BGPPeer', 'workloads', {
    node: 'host41',
    asNumber: 65200,
    localWorkloadSelector: 'all()',
    holdTime: '9s',
  }),
];

const SETTINGS = { nodeName: 'host41', asNumber: 65101, datastoreWaitSeconds: 1 };
const cleanup = new AsyncDisposableStack();
const world = {} as { host: TestNamespace; leaf: TestNamespace; agent: AgentHost };

beforeAll(async () => {
  const [leaf, host] = [cleanup.use(await netns()), cleanup.use(await netns())];
  await cable(
    { namespace: leaf, device: 'eth1', addresses: [`${GATEWAY}/31`] },
    { namespace: host, device: 'eth1', addresses: [`${HOST}/31`] },
  );
  await leaf.ip('address', 'add', `${FAR}/32`, 'dev', 'lo');
  const agent = cleanup.use(await agentHost(host, SETTINGS, MANIFESTS));
  agent.start();
  Object.assign(world, { host, leaf, agent });
});

afterAll(async () => await cleanup.disposeAsync());

const routes = async (from: string): Promise<string> => {
  const socket = join(world.agent.stateDirectory, 'agent.sock');
  return (await captureRun(['bgp', 'routes', '--from', from, '--socket', socket])).out;
};

test('reachableBy: a peer on no link is reached by its gateway, and so is what is behind it', async () => {
  const { host, leaf, agent } = world;
  await using _bird = await startBird(leaf, birdConfig(FAR, 65012, HOST, '10.99.1.0/24'));
  await until(
    () => `its route is here: ${agent.log}`,
    async () => (await routes('far')).includes('10.99.1.0/24'),
    40,
  );
  expect(await host.ip('route', 'show', FAR)).toContain(`${FAR} nhid`);
  // Its next hop is the peer, which is behind the gateway.
  await until('the kernel has the route', async () =>
    (await host.ip('route', 'get', '10.99.1.1')).includes(`via ${GATEWAY} dev eth1`),
  );
});

test('localWorkloadSelector: a workload is a peer, at the peering address of its own link', async () => {
  const { host, agent } = world;
  await using workload = await netns();
  const { addresses } = await agent.client.attach({
    containerId: 'router',
    interface: 'eth0',
    namespacePath: workload.path,
    name: 'router',
  });
  const [address = ''] = addresses.map((text) => text.split('/')[0]);
  await using _bird = await startBird(
    workload,
    birdConfig(address, 65200, PEERING, '10.99.2.0/24'),
  );
  await until(
    () => `its route is in the kernel: ${agent.log}`,
    async () => (await host.ip('route', 'show', '10.99.2.0/24')).includes('10.99.2.0/24'),
    30,
  );
  const route = await host.ip('route', 'get', '10.99.2.1');
  expect(route).toMatch(new RegExp(`via ${address} dev cali`));
  expect(await host.ip('address', 'show', 'to', PEERING)).toMatch(/cali/);
});
