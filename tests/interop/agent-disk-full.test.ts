import { execFile } from 'node:child_process';
import { mkdtemp, open, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentHost, agentHost } from './support/agent.ts';
import { manifest } from './support/manifest.ts';
import { startPings } from './support/pings.ts';
import { until } from './support/until.ts';

const run = promisify(execFile);

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
];

/** neighbour — host (the agent, with everything it stores on one small disk) — web, job (containers). */
const world = {} as {
  disk: string;
  neighbour: TestNamespace;
  host: TestNamespace;
  web: TestNamespace;
  job: TestNamespace;
  agent: AgentHost;
};
const cleanup = new AsyncDisposableStack();

beforeAll(async () => {
  const disk = await mkdtemp(join(tmpdir(), 'overland-disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'none', disk]);
  cleanup.defer(async () => {
    await run('umount', ['--lazy', disk]);
    await rmdir(disk);
  });
  const [neighbour, host] = [cleanup.use(await netns()), cleanup.use(await netns())];
  const [web, job] = [cleanup.use(await netns()), cleanup.use(await netns())];
  await cable(
    { namespace: neighbour, device: 'eth1', addresses: ['10.254.11.10/31'] },
    { namespace: host, device: 'eth1', addresses: ['10.254.11.11/31'] },
  );
  await neighbour.ip('route', 'add', '10.65.0.0/16', 'via', '10.254.11.11');
  const settings = {
    nodeName: 'host11',
    asNumber: 65101,
    datastoreWaitSeconds: 1,
    offerWaitSeconds: 0,
    logLevel: 'info',
    stateDirectory: join(disk, 'state'),
    sqlitePath: join(disk, 'datastore.db'),
  };
  const agent = cleanup.use(await agentHost(host, settings, MANIFESTS));
  agent.start();
  await agent.client.waitUntilReady(40_000);
  Object.assign(world, { disk, neighbour, host, web, job, agent });
});
afterAll(() => cleanup.disposeAsync());

/** Takes every octet that is left. */
async function fill(path: string): Promise<void> {
  await using file = await open(path, 'w');
  for (const size of [65_536, 4096, 1]) {
    const chunk = Buffer.alloc(size, 'x');
    for (;;) {
      const { bytesWritten } = await file.write(chunk).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC') throw error;
        return { bytesWritten: 0 };
      });
      if (bytesWritten === 0) break;
    }
  }
}

async function attach(name: string, { path }: TestNamespace): Promise<string> {
  const request = { containerId: name, interface: 'eth0', namespacePath: path, name };
  const { addresses } = await world.agent.client.attach(request);
  return addresses[0] ?? '';
}

async function kernelRoutes(): Promise<string[]> {
  return (await world.host.ip('route')).trim().split('\n').toSorted();
}

/** Keys in the file, as another program reads it. */
function storedKeys(): string[] {
  using database = new DatabaseSync(join(world.disk, 'datastore.db'), { readOnly: true });
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  return database
    .prepare('SELECT key FROM entry')
    .all()
    .map(({ key }) => String(key));
}

const state = async () => (await world.agent.client.nodeStatus()).datastore.state;
const workloadNames = async () =>
  (await world.agent.client.workloads()).map(({ name }) => name).toSorted();

test('on a full disk traffic flows, a container can be removed, and its address is free once there is room', async () => {
  const { agent, neighbour, disk } = world;
  const [web, job] = [await attach('web', world.web), await attach('job', world.job)];
  await until('the neighbour reaches web', () =>
    neighbour.exec(['ping', '-c', '1', '-W', '1', web]).then(
      () => true,
      () => false,
    ),
  );
  const before = await kernelRoutes();
  const withoutJob = before.filter((route) => !route.includes(job));
  expect(withoutJob).toHaveLength(before.length - 1);
  const pings = startPings(neighbour, [web]);

  await fill(join(disk, 'ballast'));
  expect(await agent.client.detach('job', 'eth0')).toEqual({ released: false });
  expect(await kernelRoutes()).toEqual(withoutJob);
  await until('the outage has a name', async () => (await state()) === 'unreachable', 11);
  expect((await agent.client.nodeStatus()).datastore.lastError).toContain('full');
  await using other = await netns();
  await expect(attach('other', other)).rejects.toMatchObject({
    status: 503,
    message: expect.stringMatching(/no space left|the disk is full/i),
  });
  expect(await workloadNames()).not.toContain('other');
  // Both or none: what was to go is still whole.
  expect(storedKeys().filter((key) => key.includes('job'))).toHaveLength(2);

  await agent.kill('SIGKILL');
  agent.start();
  await until('it answers', () => agent.client.nodeStatus().catch(() => undefined), 40);
  await until('it knows what is to go', async () => {
    const list = await agent.client.workloads().catch(() => []);
    return list.some(({ name, state: at }) => name === 'job' && at === 'detaching');
  });
  expect(await kernelRoutes()).toEqual(withoutJob);

  await rm(join(disk, 'ballast'));
  await until('job has gone', async () => (await workloadNames()).join() === 'web', 30);
  await until('in sync', async () => (await state()) === 'synced', 11);
  expect(storedKeys().filter((key) => key.includes('job'))).toEqual([]);
  expect(await kernelRoutes()).toEqual(withoutJob);
  expect(await pings.lost()).toEqual([0]);
});

test('nothing half-written is left on the disk, and the snapshot is that of now', async () => {
  const state = join(world.disk, 'state');
  await until('the snapshot is whole', async () => {
    const snapshot = await readFile(join(state, 'snapshot.json'), 'utf8').catch(() => '');
    return snapshot.includes('-web-') && !snapshot.includes('-job-');
  });
  const files = [...(await readdir(state)), ...(await readdir(join(state, 'workloads')))];
  expect(files.filter((name) => name.endsWith('.new'))).toEqual([]);
  const address = await attach('job', world.job);
  await world.neighbour.exec(['ping', '-c', '1', '-W', '1', address]);
});
