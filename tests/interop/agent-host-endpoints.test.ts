import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { EtcdProcess } from '@overland/datastore/testing';
import type { PolicyState } from '@overland/felix';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentHost, agentHost } from './support/agent.ts';
import { type Bird, startBird } from './support/bird.ts';
import { manifest } from './support/manifest.ts';
import { applyResources, runOverland } from './support/run-overland.ts';
import { until } from './support/until.ts';

const LONG = { timeout: 90_000 };
const ENDS = new URL('../../packages/felix/test/tcp-ends.py', import.meta.url).pathname;

const HOST = '192.0.2.1';
const OUTSIDE = '192.0.2.2';
const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26, natOutgoing: true }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
  manifest('BGPPeer', 'leaf', { peerIP: OUTSIDE, asNumber: 65011, sourceAddress: 'None' }),
];
const BIRD = `
router id ${OUTSIDE};
protocol device { scan time 10; }
protocol bgp host {
  local as 65011; connect delay time 1; connect retry time 1; error wait time 1, 2;
  neighbor ${HOST} as 65101;
  ipv4 { import all; export none; };
}
`;

const cleanup = new AsyncDisposableStack();
let host: TestNamespace;
let outside: TestNamespace;
let etcd: EtcdProcess;
let agent: AgentHost;
let container: TestNamespace;
let bird: Bird;

beforeAll(async () => {
  host = cleanup.use(await netns());
  outside = cleanup.use(await netns());
  await cable(
    { namespace: host, device: 'eth0', addresses: [`${HOST}/24`] },
    { namespace: outside, device: 'eth0', addresses: [`${OUTSIDE}/24`] },
  );
  await outside.ip('route', 'add', '10.65.0.0/16', 'via', HOST);
  const enter = ['ip', 'netns', 'exec', host.name];
  etcd = cleanup.use(await EtcdProcess.start({ enter }));
  const settings = {
    nodeName: 'host11',
    asNumber: 65101,
    ipv4: HOST,
    ipv6: 'none',
    datastoreType: 'etcd',
    etcdEndpoints: [etcd.endpoint],
    offerWaitSeconds: 0,
    datastoreWaitSeconds: 1,
  };
  agent = cleanup.use(await agentHost(host, settings, MANIFESTS));
  agent.start();
  bird = cleanup.use(await startBird(outside, BIRD));
  await agent.client.waitUntilReady(40_000);
  container = cleanup.use(await netns());
  await agent.client.attach({
    ...{ containerId: 'web', interface: 'eth0', namespacePath: container.path, name: 'web' },
    labels: { app: 'web' },
    ports: [{ name: 'web', protocol: 'TCP', port: 8000, hostPort: 8080 }],
  });
  for (const port of [22, 8000]) await serve(host, port);
  for (const port of [8000, 9000]) await serve(outside, port);
  await serve(container, 8000);
}, 90_000);
afterAll(() => cleanup.disposeAsync());

/** Tells every client who it is. */
async function serve({ name }: TestNamespace, port: number): Promise<void> {
  const argv = ['netns', 'exec', name, 'python3', ENDS, 'serve', String(port)];
  const server: ChildProcess = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanup.defer(async () => {
    server.kill();
    await once(server, 'exit');
  });
  if (server.stdout) await once(server.stdout, 'data');
}

/** @returns The address by which the server knows the client, `refused` or `timeout`. */
async function ask(from: TestNamespace, to: string, port: number): Promise<string> {
  const said = await from.exec(['python3', ENDS, 'ask', to, String(port)]);
  return said.trim().split(' ')[0] ?? '';
}

const becomes = (outcome: string, from: TestNamespace, to: string, port: number) =>
  until(`port ${port} of ${to} is ${outcome}`, async () => (await ask(from, to, port)) === outcome);

const etcdEnvironment = () => ({ DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: etcd.endpoint });
const overland = (args: readonly string[]): Promise<string> =>
  runOverland(host, args, { env: etcdEnvironment() });
const apply = (...resources: readonly object[]): Promise<string> =>
  applyResources(host, resources, etcdEnvironment());

const resource = (kind: string, name: string, spec: object, labels: object = {}): object => {
  return { apiVersion: 'projectcalico.org/v3', kind, metadata: { name, labels }, spec };
};

const everyInterface = { node: 'host11', interfaceName: '*' };
const allow = (port: number, scope: object = {}) => ({
  selector: "host == 'yes'",
  types: ['Ingress'],
  ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: [port] } }],
  ...scope,
});

test('containers reach what is outside under the address of their host', LONG, async () => {
  expect(await ask(container, OUTSIDE, 8000)).toBe(HOST);
});

test(
  'a port of the host leads to the container, for the host itself and for others',
  LONG,
  async () => {
    expect(await ask(outside, HOST, 8080)).toBe(OUTSIDE);
    expect(await ask(host, HOST, 8080)).toBe(HOST);
    // The container sees its gateway: an answer to 127.0.0.1 would not leave it.
    expect(await ask(host, '127.0.0.1', 8080)).toBe('169.254.1.1');
    expect(await ask(container, HOST, 8080)).toBe('169.254.1.1');
  },
);

const isEstablished = () =>
  until('the session is up', async () =>
    (await bird.birdc('show protocols')).includes('Established'),
  );

test('a container reaches its own host only if that is configured', LONG, async () => {
  expect(await ask(container, HOST, 8000)).toBe('timeout');
  await apply(resource('FelixConfiguration', 'default', { defaultEndpointToHostAction: 'Return' }));
  const [address] =
    (await container.ip('-4', '-br', 'address', 'show', 'eth0')).match(/10\.65[\d.]+/) ?? [];
  await becomes(String(address), container, HOST, 8000);
});

test('a container cannot send under an address that is not its own', LONG, async () => {
  const ping = (...from: string[]) =>
    container.exec(['ping', '-q', '-c1', '-W1', ...from, OUTSIDE]).then(
      () => true,
      () => false,
    );
  expect(await ping()).toBe(true);
  await container.ip('address', 'add', '10.65.77.77/32', 'dev', 'eth0');
  expect(await ping('-I', '10.65.77.77')).toBe(false);
  await container.ip('address', 'del', '10.65.77.77/32', 'dev', 'eth0');
});

test(
  'a host endpoint closes its host, but for failsafe ports and what policies allow',
  LONG,
  async () => {
    expect(await ask(outside, HOST, 8000)).toBe(OUTSIDE);
    await apply(resource('HostEndpoint', 'host11-all', everyInterface, { host: 'yes' }));
    await becomes('timeout', outside, HOST, 8000);
    expect(await ask(outside, HOST, 22)).toBe(OUTSIDE);
    // BGP is failsafe, too: a session that ends comes back.
    await isEstablished();
    await bird.birdc('restart host');
    await isEstablished();
    // What goes out is closed, too, but the host talks to itself: the agent does not lose etcd.
    expect(await ask(host, OUTSIDE, 8000)).toBe('timeout');
    expect(await ask(host, HOST, 8000)).toBe(HOST);
    await apply(resource('GlobalNetworkPolicy', 'host', allow(8000)));
    await becomes(OUTSIDE, outside, HOST, 8000);
    // Nobody has said anything about what is forwarded.
    expect(await ask(container, OUTSIDE, 8000)).toBe(HOST);
  },
);

test('what is forwarded is judged by policies that say so', LONG, async () => {
  const [address = ''] =
    (await container.ip('-4', '-br', 'address', 'show', 'eth0')).match(/10\.65[\d.]+/) ?? [];
  expect(await ask(outside, address, 8000)).toBe(OUTSIDE);
  await apply(resource('GlobalNetworkPolicy', 'forward', allow(8001, { applyOnForward: true })));
  await becomes('timeout', outside, address, 8000);
  expect(await ask(container, OUTSIDE, 9000)).toBe(HOST);
  await overland(['delete', 'globalnetworkpolicy', 'forward']);
  await becomes(OUTSIDE, outside, address, 8000);
});

test('an endpoint is found by the address of its interface', LONG, async () => {
  await overland(['delete', 'globalnetworkpolicy', 'host']);
  await apply(
    resource('HostEndpoint', 'host11-all', {
      ...everyInterface,
      profiles: ['projectcalico-default-allow'],
    }),
    resource('HostEndpoint', 'by-address', { node: 'host11', expectedIPs: [HOST] }),
  );
  await until(
    'the endpoint with the address is the one',
    async () => (await ask(host, OUTSIDE, 8000)) === 'timeout',
  );
  expect(await ask(outside, HOST, 8000)).toBe('timeout');
  expect(await ask(outside, HOST, 22)).toBe(OUTSIDE);
  await overland(['delete', 'hostendpoint', 'by-address']);
  await becomes(OUTSIDE, outside, HOST, 8000);
});

test('host policy holds while the agent is dead, and a restart writes nothing', LONG, async () => {
  await apply(resource('HostEndpoint', 'host11-all', everyInterface, { host: 'yes' }));
  await becomes('timeout', outside, HOST, 8000);
  // An agent that finds no datastore for a moment goes by this.
  await until('the snapshot has it', async () => {
    const text = await readFile(`${agent.stateDirectory}/policy-snapshot.json`, 'utf8');
    const { policy } = JSON.parse(text) as { policy: PolicyState };
    const places = policy.host?.endpoints.flatMap((endpoint) => endpoint.places) ?? [];
    return places.length > 0 && places.every((place) => place.policy.profiles.length === 0);
  });
  const ruleset = () => host.exec(['nft', '-a', 'list', 'table', 'inet', 'overland']);
  const before = await ruleset();
  await agent.kill('SIGKILL');
  expect(await ask(outside, HOST, 8000)).toBe('timeout');
  expect(await ask(outside, HOST, 22)).toBe(OUTSIDE);
  agent.start();
  await agent.client.waitUntilReady(40_000);
  await until('the policy has been looked at', async () => {
    const { dataplane } = await agent.client.nodeStatus();
    return dataplane.policy?.synced === true && dataplane.local.waiting.length === 0;
  });
  expect(await ruleset()).toBe(before);
});
