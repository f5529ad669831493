import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EtcdProcess } from '@overland/datastore/testing';
import { netns, type TestNamespace } from '@overland/linux/testing';
import {
  affinityKey,
  agentKey,
  blockKey,
  handleKey,
  hostClaimKey,
  parseManifest,
  resourceKey,
  resourcePrefix,
  stringifyJson,
} from '@overland/model';
import { parsePrefix } from '@overland/net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AgentHost, agentHost, OVERLAND } from './support/agent.ts';
import { manifest } from './support/manifest.ts';
import { until } from './support/until.ts';

const run = promisify(execFile);
const LONG = { timeout: 60_000 };

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
];

/** Reply to `/readiness`. */
interface HealthReply {
  readonly parts: readonly { part: string; ready: boolean; detail: string }[];
}

let cleanup: AsyncDisposableStack;
let host: TestNamespace;
let enter: string[];

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  host = cleanup.use(await netns());
  enter = ['ip', 'netns', 'exec', host.name];
  await host.ip('address', 'add', '10.255.1.11/32', 'dev', 'lo');
});
afterEach(() => cleanup.disposeAsync());

async function startAgent(
  etcd: EtcdProcess,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<AgentHost> {
  const all = {
    nodeName: 'host11',
    asNumber: 65101,
    ipv6: 'none',
    datastoreType: 'etcd',
    etcdEndpoints: [etcd.endpoint],
    offerWaitSeconds: 0,
    ...settings,
  };
  const agent = cleanup.use(await agentHost(host, all, MANIFESTS));
  agent.start();
  return agent;
}

/** Writes what an operator would, before there are hosts. */
async function createResources(etcd: EtcdProcess): Promise<void> {
  for (const each of MANIFESTS) {
    const resource = parseManifest(each);
    const { kind, metadata } = resource;
    await etcd.ctl('put', resourceKey(kind, metadata), stringifyJson(resource));
  }
}

test(
  'with the role that `overland datastore roles` prints an agent does its work, and no more',
  LONG,
  async () => {
    const etcd = cleanup.use(await EtcdProcess.start({ enter }));
    await createResources(etcd);
    const [program, ...argv] = OVERLAND;
    const roles = ['datastore', 'roles', '--host', 'host11', '-n', 'default'];
    const { stdout } = await run(program, [...argv, ...roles]);
    for (const line of stdout.trimEnd().split('\n')) {
      if (line.startsWith('#')) continue;
      const [first, ...words] = line.split(' ');
      expect(first).toBe('etcdctl');
      // The one thing that a shell would ask for.
      const isUser = words[0] === 'user' && words[1] === 'add';
      await etcd.ctl(...words.slice(0, 2), ...(isUser ? [`${words[2]}:pw`] : words.slice(2)));
    }
    await etcd.ctl('user', 'add', 'root:secret');
    await etcd.ctl('user', 'grant-role', 'root', 'root');
    await etcd.ctl('auth', 'enable');
    etcd.useCtlArgs('--user', 'root:secret');

    const user = { etcdUsername: 'overland-host11', etcdPassword: 'pw' };
    const reservations = resourcePrefix('IPReservation');
    await etcd.ctl('role', 'revoke-permission', 'overland-host11', '--prefix', reservations);
    const agent = await startAgent(etcd, { ...user, datastoreWaitSeconds: 1 });
    // As with a role that was made for an older agent.
    await until(
      'status names what it may not watch',
      async () => {
        const status = await agent.client.nodeStatus().catch(() => undefined);
        return status?.datastore.lastError?.includes(`watching ${reservations}`);
      },
      30,
    );
    await etcd.ctl('role', 'grant-permission', 'overland-host11', '--prefix', 'read', reservations);
    await agent.client.waitUntilReady(40_000);
    await until('a block is ours', async () => {
      const { blocks } = await agent.client.nodeStatus();
      return blocks.some(({ confirmed }) => confirmed);
    });
    const web = cleanup.use(await netns());
    const request = { containerId: 'web', interface: 'eth0', namespacePath: web.path, name: 'web' };
    const { addresses } = await agent.client.attach(request);
    expect(addresses).toHaveLength(1);
    expect(await etcd.ctl('get', '--prefix', '--keys-only', '/')).toContain('/host11-');
    // Restarted it reads its snapshot, its Node, its blocks and its endpoints again.
    await agent.kill('SIGTERM');
    agent.start();
    await agent.client.waitUntilReady(40_000);
    expect(await agent.client.detach('web', 'eth0')).toEqual({ released: true });
    expect((await agent.client.nodeStatus()).datastore).toEqual({ type: 'etcd', state: 'synced' });
    expect(agent.log).not.toMatch(/permission denied|"level":(50|60)/);

    const putAsHost = (key: string) => etcd.ctl('--user', 'overland-host11:pw', 'put', key, '{}');
    const cidr = parsePrefix('10.65.9.0/26');
    for (const key of [
      resourceKey('Node', { name: 'host12' }),
      resourceKey('IPPool', { name: 'mine' }),
      resourceKey('WorkloadEndpoint', { namespace: 'default', name: 'host12-cni-a-eth0' }),
      resourceKey('WorkloadEndpoint', { namespace: 'other', name: 'host11-cni-a-eth0' }),
      affinityKey({ type: 'host', name: 'host12' }, cidr),
      handleKey('overland.host12.a.eth0'),
      hostClaimKey('host12'),
      agentKey('host12'),
      '/elsewhere',
    ]) {
      await expect(putAsHost(key), key).rejects.toThrow('permission denied');
    }
    await putAsHost(blockKey(cidr));
  },
);

test('an etcd that is full is named by health and status; then all goes on', LONG, async () => {
  const quota = ['--quota-backend-bytes', '2000000'];
  const etcd = cleanup.use(await EtcdProcess.start({ enter, args: quota }));
  const agent = await startAgent(etcd);
  await agent.client.waitUntilReady(40_000);
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) await etcd.ctl('put', `/fill/${i}`, 'x'.repeat(100_000));
  };
  await expect(fill()).rejects.toThrow('database space exceeded');
  const named = 'etcd is out of space (NOSPACE)';
  await until('status names it', async () =>
    (await agent.client.nodeStatus()).datastore.lastError?.includes(named),
  );
  const [program, ...argv] = OVERLAND;
  const socket = `${agent.stateDirectory}/agent.sock`;
  const env = { ...process.env, OVERLAND_API_SOCKET: socket };
  const { stdout } = await run(program, [...argv, 'node', 'status'], { env });
  expect(stdout).toContain(named);
  await until('health names it', async () => {
    const { parts } = (await agent.client.call('GET', '/readiness')) as HealthReply;
    return parts.find(({ part }) => part === 'store')?.detail.includes(named);
  });

  await etcd.ctl('del', '--prefix', '/fill/');
  await etcd.compact();
  await etcd.ctl('defrag');
  await etcd.ctl('alarm', 'disarm');
  await until(
    'it answers again',
    async () => (await agent.client.nodeStatus()).datastore.state === 'synced',
  );
});
