import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import type { AttachReply } from '@overland/agent/client';
import { openDatastore, ResourceClient, setLock } from '@overland/datastore';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentHost, agentHost } from './support/agent.ts';
import { type Bird, startBird } from './support/bird.ts';
import { Daemon } from './support/daemon.ts';
import { manifest } from './support/manifest.ts';
import { startPings } from './support/pings.ts';
import { until } from './support/until.ts';

const run = promisify(execFile);

const BIRD = `
router id 10.255.0.11;
protocol device { scan time 10; }
protocol direct { ipv4; ipv6; interface "lo"; }
protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }
protocol kernel { ipv6 { import none; export where source = RTS_BGP; }; }
template bgp fabric {
  local as 65011; hold time 3; keepalive time 1;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  password "s3cret"; ttl security on;
}
protocol bgp host4 from fabric { neighbor 10.254.11.11 as 65101; ipv4 { import all; export all; }; }
protocol bgp host6 from fabric { neighbor fd00:254:11::11 as 65101; ipv6 { import all; export all; }; }
`;

const session = {
  node: 'host11',
  asNumber: 65011,
  sourceAddress: 'None',
  holdTime: '3s',
  keepaliveTime: '1s',
  ttlSecurity: 1,
};

const keyFile = join(mkdtempSync(join(tmpdir(), 'agent-key-')), 'bgp.key');
writeFileSync(keyFile, 's3cret\n');

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('IPPool', 'ipv6', { cidr: 'fd00:65::/48', blockSize: 122 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
  manifest('BGPPeer', 'leaf-ipv4', {
    ...session,
    peerIP: '10.254.11.10',
    password: { value: 's3cret' },
  }),
  manifest('BGPPeer', 'leaf-ipv6', {
    ...session,
    peerIP: 'fd00:254:11::10',
    password: { file: keyFile },
  }),
];

/** Reply to `/readiness`. */
interface HealthReply {
  readonly parts: readonly { part: string; ready: boolean; detail: string }[];
}

const SETTINGS = { nodeName: 'host11', asNumber: 65101, datastoreWaitSeconds: 1, logLevel: 'info' };

/** leaf (BIRD, AS 65011) — host (the agent, AS 65101) — web (a container). */
const world = {} as {
  leaf: TestNamespace;
  host: TestNamespace;
  web: TestNamespace;
  bird: Bird;
  agent: AgentHost;
  attached: AttachReply;
};
const cleanup = new AsyncDisposableStack();

beforeAll(async () => {
  const [leaf, host, web] = [await netns(), await netns(), await netns()];
  for (const namespace of [leaf, host, web]) cleanup.use(namespace);
  await cable(
    { namespace: leaf, device: 'eth1', addresses: ['10.254.11.10/31', 'fd00:254:11::10/127'] },
    { namespace: host, device: 'eth1', addresses: ['10.254.11.11/31', 'fd00:254:11::11/127'] },
  );
  for (const address of ['10.255.0.11/32', 'fd00:255::11/128'])
    await leaf.ip('address', 'add', address, 'dev', 'lo');
  for (const address of ['10.255.1.11/32', 'fd00:255:1::11/128'])
    await host.ip('address', 'add', address, 'dev', 'lo');
  await leaf.exec(['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
  const bird = cleanup.use(await startBird(leaf, BIRD));
  const agent = cleanup.use(await agentHost(host, SETTINGS, MANIFESTS));
  agent.start();
  await agent.client.waitUntilReady(40_000);
  Object.assign(world, { leaf, host, web, bird, agent });
});

afterAll(async () => {
  await cleanup.disposeAsync();
  rmSync(dirname(keyFile), { recursive: true });
});

async function blocks(): Promise<string[]> {
  return (await world.agent.client.nodeStatus()).blocks.map(({ cidr }) => cidr);
}

async function leafRoutes(): Promise<string> {
  return await world.bird.birdc('show route');
}

/** Everything that forwarding depends on, as the kernel prints it. */
async function kernelState(): Promise<string> {
  const { host } = world;
  return [await host.ip('route'), await host.ip('-6', 'route'), await host.ip('nexthop')].join(
    '\n',
  );
}

async function attach(name: string, namespacePath: string): Promise<AttachReply> {
  return await world.agent.client.attach({
    containerId: name,
    interface: 'eth0',
    namespacePath,
    name,
  });
}

/** Keeps every other process out of the datastore file. */
function lockDatastore(): Disposable {
  const database = new DatabaseSync(`${world.agent.stateDirectory}/datastore.db`);
  database.exec('BEGIN EXCLUSIVE');
  return {
    [Symbol.dispose]() {
      database.exec('ROLLBACK');
      database.close();
    },
  };
}

/** The leaf forgets what it kept of a peer that goes again before it has told everything (RFC 4724, section 4.2). */
async function restartIsOver(): Promise<void> {
  await until('the leaf has all of it again', async () => {
    return !(await world.bird.birdc('show protocols all')).includes('graceful restart active');
  });
}

/** As `overland datastore lock` does. */
async function operatorLock(): Promise<AsyncDisposable> {
  const path = `${world.agent.stateDirectory}/datastore.db`;
  const store = await openDatastore({ type: 'sqlite', path });
  await setLock(store, true);
  return {
    async [Symbol.asyncDispose]() {
      await setLock(store, false);
      await store[Symbol.asyncDispose]();
    },
  };
}

test('a block of each family is claimed and announced, as are the addresses of lo', async () => {
  const own = await until('two blocks', async () => {
    const list = await blocks();
    return list.length === 2 ? list : undefined;
  });
  for (const prefix of [...own, '10.255.1.11/32', 'fd00:255:1::11/128']) {
    await until(`the leaf has ${prefix}`, async () => (await leafRoutes()).includes(prefix));
  }
  expect(await kernelState()).toContain(`blackhole ${own[0]} proto 87`);
});

test('what the leaf announces is in the kernel, through next-hop objects', async () => {
  await until('both loopbacks', async () => {
    const state = await kernelState();
    return state.includes('10.255.0.11 nhid') && state.includes('fd00:255::11 nhid');
  });
  expect(await kernelState()).toMatch(
    /10\.255\.0\.11 nhid \d+ proto 86 src 10\.255\.1\.11 metric 1024/,
  );
});

test('the password is in no log, no status and no list', async () => {
  const { agent } = world;
  const status = JSON.stringify(await agent.client.nodeStatus());
  expect(agent.log).not.toContain('s3cret');
  expect(status).toContain('leaf-ipv4');
  expect(status).not.toContain('s3cret');
});

test('a container is reachable from the leaf as soon as attach returns, and again is the same', async () => {
  world.attached = await attach('web', world.web.path);
  const [ipv4 = '', ipv6 = ''] = world.attached.addresses;
  expect(world.attached.announced).toBe(true);
  await world.leaf.exec(['ping', '-c', '1', '-W', '1', ipv4]);
  await world.leaf.exec(['ping', '-c', '1', '-W', '1', ipv6]);
  expect(await attach('web', world.web.path)).toEqual(world.attached);
  expect(await world.agent.client.workloads()).toMatchObject([{ name: 'web', state: 'attached' }]);
});

test('what cannot be attached is refused with a reason', async () => {
  await expect(attach('web', '/run/netns/nowhere')).rejects.toMatchObject({ status: 409 });
  await expect(attach('other', '/run/netns/nowhere')).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining('/run/netns/nowhere'),
  });
});

test('a second agent in the namespace is refused and told who is first', async () => {
  const { code, stderr } = await world.agent.runToEnd();
  expect(stderr).toContain('this network namespace has an agent already: node host11, pid');
  expect(code).toBe(2);
});

test('a second host with the same node name is refused and told which has it', async () => {
  await using other = await netns();
  const settings = {
    ...SETTINGS,
    ipv4: '10.9.9.9',
    sqlitePath: `${world.agent.stateDirectory}/datastore.db`,
  };
  await using twin = await agentHost(other, settings, []);
  const { code, stderr } = await twin.runToEnd();
  expect(stderr).toContain('node name host11 belongs to another host');
  expect(code).toBe(2);
  // Nothing of the first one's is touched.
  await expect(attach('web', world.web.path)).resolves.toEqual(world.attached);
  await world.leaf.exec(['ping', '-c', '1', '-W', '1', world.attached.addresses[0] ?? '']);
});

test('a second host that starts from a snapshot of the same name ends when the datastore answers', async () => {
  await using other = await netns();
  const { stateDirectory } = world.agent;
  const sqlitePath = `${stateDirectory}/datastore.db`;
  await using twin = await agentHost(other, { ...SETTINGS, ipv4: '10.9.9.9', sqlitePath }, []);
  await copyFile(`${stateDirectory}/snapshot.json`, `${twin.stateDirectory}/snapshot.json`);
  const lock = lockDatastore();
  const ended = twin.runToEnd();
  await until(
    'it runs from the snapshot',
    async () =>
      (await twin.client.nodeStatus().catch(() => undefined))?.datastore.state === 'snapshot',
    40,
  );
  lock[Symbol.dispose]();
  const { code, stderr } = await ended;
  expect(stderr).toMatch(/^overland: node name host11 belongs to another host/m);
  expect(code).toBe(2);
});

test('killed and started again, it loses no packet and touches nothing in the kernel', async () => {
  const { agent, host, bird } = world;
  const before = await kernelState();
  await using monitor = new Daemon(host, ['ip', 'monitor', 'route', 'nexthop']);
  const pings = startPings(world.leaf, world.attached.addresses);
  await agent.kill('SIGKILL');
  await until(
    'the sessions are gone',
    async () => !(await bird.birdc('show protocols')).includes('Established'),
  );
  expect(await leafRoutes()).toContain('10.255.1.11/32');
  agent.start();
  await agent.client.waitUntilReady(40_000);
  const up = async () =>
    ((await bird.birdc('show protocols')).match(/Established/g) ?? []).length === 2;
  await until('both sessions are up again', up);
  await until(
    'the speaker has all routes',
    async () => (await agent.client.nodeStatus()).bgp?.deferring === false,
  );
  expect(await pings.lost()).toEqual([0, 0]);
  expect(await kernelState()).toBe(before);
  expect(monitor.output).toBe('');
});

test('a leaf that the kernel cannot find any more is no next hop, and is looked for until it is back', async () => {
  const { host } = world;
  const isRouted = async () => (await kernelState()).includes('10.255.0.11 nhid');
  const deaf =
    'add table netdev deaf { chain in { type filter hook ingress device eth1 priority 0; ether type arp drop; }; }';
  await host.exec(['nft', deaf]);
  await host.ip('neigh', 'replace', '10.254.11.10', 'dev', 'eth1', 'nud', 'failed');
  // Not the hold time's doing: graceful restart would keep the route.
  await until('the route is gone', async () => !(await isRouted()), 1);
  await host.exec(['nft', 'delete table netdev deaf']);
  await until('the route is back', isRouted);
});

test('stopped with SIGTERM it leaves the kernel as it is, and the leaf keeps its routes', async () => {
  const { agent } = world;
  const before = await kernelState();
  const pings = startPings(world.leaf, world.attached.addresses);
  await agent.kill('SIGTERM');
  expect(agent.log).toContain('agent stopped; kernel state and routes stay');
  expect(await kernelState()).toBe(before);
  expect(await leafRoutes()).toContain('10.255.1.11/32');
  agent.start();
  await agent.client.waitUntilReady(40_000);
  expect(await pings.lost()).toEqual([0, 0]);
});

test('while the datastore is locked traffic flows, and a container can be taken off', async () => {
  const { agent } = world;
  await using job = await netns();
  const { addresses } = await attach('job', job.path);
  const pings = startPings(world.leaf, world.attached.addresses);
  {
    using _lock = lockDatastore();
    expect(await agent.client.detach('job', 'eth0')).toEqual({ released: false });
    expect(await agent.client.workloads()).toContainEqual(
      expect.objectContaining({ name: 'job', state: 'detaching' }),
    );
    expect(await kernelState()).not.toContain(addresses[0]);
  }
  await until(
    'its addresses are given back',
    async () => {
      const left = await agent.client.workloads();
      return left.every(({ name }) => name !== 'job');
    },
    30,
  );
  expect(await pings.lost()).toEqual([0, 0]);
});

test('an outage has a name within 11 s, and the host stays live and ready', async () => {
  const { client } = world.agent;
  const datastore = async () => (await client.nodeStatus()).datastore;
  await until('in sync', async () => (await datastore()).state === 'synced');
  {
    using _lock = lockDatastore();
    await until('it has a name', async () => (await datastore()).state === 'unreachable', 11);
    expect(await datastore()).toMatchObject({ lastError: 'another process has the file locked' });
    expect(await client.call('GET', '/liveness')).toMatchObject({ live: true });
    // Parts are asked once a second. Not ready would be an error here.
    await until('the store says so', async () => {
      const { parts } = (await client.call('GET', '/readiness')) as HealthReply;
      const store = parts.find(({ part }) => part === 'store');
      return store?.ready && store.detail === 'outage: another process has the file locked';
    });
    expect(await client.call('GET', '/metrics')).toContain('overland_datastore_in_sync 0');
    await expect(client.call('GET', '/startup')).resolves.toBeDefined();
  }
  await until('in sync again', async () => (await datastore()).state === 'synced', 11);
  expect(await datastore()).not.toHaveProperty('lastError');
  expect(await client.call('GET', '/metrics')).toContain('overland_datastore_in_sync 1');
});

test('an agent that comes first makes what every cluster has', async () => {
  const path = `${world.agent.stateDirectory}/datastore.db`;
  await using store = await openDatastore({ type: 'sqlite', path });
  const resources = new ResourceClient(store);
  const cluster = await resources.get('ClusterInformation', { name: 'default' });
  expect(cluster?.spec).toMatchObject({
    clusterGUID: expect.stringMatching(/^[0-9a-f]{32}$/),
    datastoreReady: true,
  });
  const tiers = (await resources.list('Tier')).resources.map(({ metadata }) => metadata.name);
  expect(tiers).toEqual(['default', 'kube-admin', 'kube-baseline']);
});

test("under an operator's lock traffic flows, nothing is attached, and a container can be taken off", async () => {
  const { agent } = world;
  await using job = await netns();
  await using store = await openDatastore({
    type: 'sqlite',
    path: `${agent.stateDirectory}/datastore.db`,
  });
  await attach('job', job.path);
  const pings = startPings(world.leaf, world.attached.addresses);
  await setLock(store, true);
  const locked = (await store.list('')).revision;

  await expect(attach('late', job.path)).rejects.toMatchObject({
    status: 503,
    message: expect.stringContaining('overland datastore unlock'),
  });
  expect(await agent.client.detach('job', 'eth0')).toEqual({ released: false });
  const status = async () => (await agent.client.nodeStatus()).datastore;
  await until('the status says so', async () => (await status()).state === 'locked', 11);
  expect((await status()).lastError).toContain('is locked');
  expect((await store.list('')).revision).toBe(locked);

  await setLock(store, false);
  const names = async () => (await agent.client.workloads()).map(({ name }) => name);
  await until('addresses are given back', async () => !(await names()).includes('job'), 30);
  await until('the status is well', async () => (await status()).state === 'synced', 11);
  expect(await pings.lost()).toEqual([0, 0]);
});

test.each([
  ['locked by another process', async () => lockDatastore()],
  ['locked by an operator', operatorLock],
])(
  'started while the datastore is %s it goes on from the snapshot, and over to the datastore without a flap',
  async (_by, lock) => {
    const { agent } = world;
    const before = await kernelState();
    const pings = startPings(world.leaf, world.attached.addresses);
    await restartIsOver();
    await agent.kill('SIGKILL');
    {
      await using _lock = await lock();
      agent.start();
      await until(
        'the sessions are up from the snapshot',
        async () => {
          const status = await agent.client.nodeStatus().catch(() => undefined);
          return (
            status?.datastore.state === 'snapshot' &&
            status.bgp?.peers.every(({ state }) => state === 'Established')
          );
        },
        40,
      );
      expect(await kernelState()).toBe(before);
      expect(await agent.client.call('GET', '/liveness')).toMatchObject({ live: true });
      for (const path of ['/readiness', '/startup'])
        await expect(agent.client.call('GET', path)).rejects.toMatchObject({ status: 503 });
    }
    await until(
      'it is in sync with the datastore',
      async () => (await agent.client.nodeStatus()).datastore.state === 'synced',
      30,
    );
    const { bgp, blocks: own } = await agent.client.nodeStatus();
    expect(bgp?.peers.map(({ timesDropped }) => timesDropped)).toEqual([0, 0]);
    expect(own).toHaveLength(2);
    expect(await pings.lost()).toEqual([0, 0]);
    expect(await kernelState()).toBe(before);
  },
);

test('detached, its addresses are gone from the kernel and free again', async () => {
  const { agent, attached } = world;
  expect(await agent.client.detach('web', 'eth0')).toEqual({ released: true });
  expect(await agent.client.detach('web', 'eth0')).toEqual({ released: true });
  await until(
    'the routes are gone',
    async () => !(await kernelState()).includes(`${attached.addresses[0]} dev`),
  );
  const { blocks: own } = await agent.client.nodeStatus();
  expect(own.map(({ used }) => used)).toEqual([0, 0]);
  await run('ip', ['-n', world.host.name, 'link', 'show', 'eth1']);
});
