import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { netns, type TestNamespace } from '@overland/linux/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentHost, agentHost, OVERLAND } from './support/agent.ts';
import { manifest } from './support/manifest.ts';
import { until } from './support/until.ts';

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 26 }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
];
const SETTINGS = {
  nodeName: 'host11',
  asNumber: 65101,
  ipv4: '10.255.1.11',
  offerWaitSeconds: 0,
  logLevel: 'info',
};

let host: TestNamespace;
let agent: AgentHost;
const cleanup = new AsyncDisposableStack();

beforeAll(async () => {
  host = cleanup.use(await netns());
  await host.ip('address', 'add', '10.255.1.11/32', 'dev', 'lo');
  agent = cleanup.use(await agentHost(host, SETTINGS, MANIFESTS));
  agent.start();
  await agent.client.waitUntilReady(40_000);
});
afterAll(() => cleanup.disposeAsync());

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** `overland workload …` on the host. Not by `ip netns exec`: what that mounts is seen by nobody else. */
function workload(...args: readonly string[]): Running {
  const argv = [`--net=/run/netns/${host.name}`, ...OVERLAND, 'workload', ...args];
  const env = { ...process.env, OVERLAND_API_SOCKET: `${agent.stateDirectory}/agent.sock` };
  const child = spawn('nsenter', argv, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return {
    child,
    ended: ended.then(([[code, signal], stdout, stderr]) => ({ code, signal, stdout, stderr })),
  };
}

/** Of workloads: those of tests, ours and others', are called `test-…`. */
async function namespaces(): Promise<string[]> {
  return (await readdir('/run/netns')).filter((name) => !name.startsWith('test-')).toSorted();
}

async function states(): Promise<Record<string, string>> {
  const list = await agent.client.workloads();
  return Object.fromEntries(list.map(({ name, state }) => [name, state]));
}

function lockDatastore(): Disposable {
  const database = new DatabaseSync(`${agent.stateDirectory}/datastore.db`);
  database.exec('BEGIN EXCLUSIVE');
  return {
    [Symbol.dispose]() {
      database.exec('ROLLBACK');
      database.close();
    },
  };
}

/** Processes of this test with that command line. */
async function running(commandLine: string): Promise<boolean> {
  const ps = spawn('pgrep', ['-xf', commandLine], { stdio: 'ignore' });
  const [code] = await once(ps, 'exit');
  return code === 0;
}

test('run makes a namespace with addresses, and changes nothing the second time', async () => {
  const first = await workload('run', 'web', '--label', 'app=web').ended;
  expect(first).toMatchObject({ code: 0, stderr: expect.stringMatching(/^web: 10\.65\.\d+\.\d+/) });
  expect(await workload('run', 'web', '--label', 'app=web').ended).toEqual(first);
  expect(await namespaces()).toEqual(['web']);

  const { code, stdout } = await workload('list', '-o', 'json').ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject([{ name: 'web', state: 'attached' }]);
  expect((await workload('list').ended).stdout).toMatch(/^NAME .*\nweb +attached +10\.65/);
});

test('run and exec answer with the exit code of the command', async () => {
  const ran = await workload('run', 'job', '--', 'sh', '-c', 'ip -br -4 address; exit 7').ended;
  expect(ran).toMatchObject({ code: 7, stdout: expect.stringContaining('eth0') });
  // The namespace stays.
  expect(await workload('exec', 'job', '--', 'true').ended).toMatchObject({ code: 0, stderr: '' });
  const killed = await workload('exec', 'job', '--', 'sh', '-c', 'kill -KILL $$').ended;
  expect(killed.code).toBe(128 + 9);
  const missing = await workload('exec', 'job', '--', 'no-such-program').ended;
  expect(missing).toMatchObject({
    code: 127,
    stderr: 'overland: no-such-program cannot be run: spawn no-such-program ENOENT\n',
  });
  expect((await workload('exec', 'job', '--', '/etc/passwd').ended).code).toBe(126);
});

test('what is asked wrongly is one line and exit code 2', async () => {
  for (const [args, line] of [
    [['run', 'Web'], /'Web' cannot name a workload/],
    [['run', 'web', '--label', 'app'], /--label wants KEY=VALUE, not 'app'/],
    [['run', 'web', '--label', 'app=other'], /web has eth0 already, asked for in another way/],
    [['exec', 'web'], /wants a command after --/],
    [['exec', 'nowhere', '--', 'true'], /there is no workload nowhere/],
    [['rm'], /missing required argument 'name'/],
  ] as const) {
    const { code, stdout, stderr } = await workload(...args).ended;
    expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd()).not.toContain('\n');
  }
  expect(await namespaces()).toEqual(['job', 'web']);
});

test('run --detach leaves the command running; rm ends it and leaves nothing', async () => {
  const started = await workload('run', 'server', '-d', '--', 'sleep', '7311').ended;
  expect(started).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/server: process \d+\n$/),
  });
  expect(await running('sleep 7311')).toBe(true);
  const failed = await workload('run', 'server', '-d', '--', 'no-such-program').ended;
  expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be run') });

  expect(await workload('rm', 'server').ended).toMatchObject({ code: 0, stderr: '' });
  expect(await running('sleep 7311')).toBe(false);
  expect(await namespaces()).toEqual(['job', 'web']);
  expect(await states()).toEqual({ job: 'attached', web: 'attached' });
  expect(await workload('rm', 'server').ended).toMatchObject({ code: 0, stderr: '' });
});

test('SIGTERM ends the command that runs, and is its exit code', async () => {
  const { child, ended } = workload('run', 'job', '--', 'sleep', '7312');
  await until('it sleeps', () => running('sleep 7312'));
  child.kill('SIGTERM');
  expect((await ended).code).toBe(128 + 15);
  expect(await running('sleep 7312')).toBe(false);
});

test('killed while its command runs, everything is there to be removed', async () => {
  const { child, ended } = workload('run', 'crash', '--', 'sleep', '7313');
  await until('it sleeps', () => running('sleep 7313'));
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  expect(await states()).toMatchObject({ crash: 'attached' });
  expect((await workload('rm', 'crash').ended).code).toBe(0);
  // Its standard streams are closed with the command, not before.
  expect((await ended).signal).toBe('SIGKILL');
  expect(await running('sleep 7313')).toBe(false);
  expect(await namespaces()).toEqual(['job', 'web']);
});

test('killed in the middle of attaching, it can be run again or removed', async () => {
  {
    using _lock = lockDatastore();
    const { child, ended } = workload('run', 'half');
    await until('it is being attached', async () => (await states()).half === 'attaching');
    child.kill('SIGKILL');
    await ended;
  }
  await until('the agent has done its part', async () => (await states()).half === 'attached');
  expect((await workload('run', 'half', '--', 'true').ended).code).toBe(0);
  expect((await workload('rm', 'half').ended).code).toBe(0);
  expect(await namespaces()).toEqual(['job', 'web']);
});

test('stopped with SIGTERM before its command could start, it leaves nothing and runs nothing', async () => {
  let stopped: Promise<Ended>;
  {
    using _lock = lockDatastore();
    const { child, ended } = workload('run', 'term', '--', 'sleep', '7314');
    await until('it is being attached', async () => (await states()).term === 'attaching');
    child.kill('SIGTERM');
    stopped = ended;
  }
  expect(await stopped).toMatchObject({
    code: 1,
    stderr: 'overland: term: interrupted by SIGTERM\n',
  });
  expect(await running('sleep 7314')).toBe(false);
  expect(await namespaces()).toEqual(['job', 'web']);
  expect(await states()).toEqual({ job: 'attached', web: 'attached' });
});

test('while the datastore is away run fails and leaves nothing, and rm says what is left', async () => {
  {
    using _lock = lockDatastore();
    const ran = await workload('run', 'late').ended;
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('file locked') });
    expect(await namespaces()).toEqual(['job', 'web']);
    expect(await workload('rm', 'job').ended).toMatchObject({
      code: 0,
      stderr: 'job: off the fabric; its addresses are given back when the datastore answers\n',
    });
    expect(await namespaces()).toEqual(['web']);
  }
  await until(
    'the addresses are given back',
    async () => Object.keys(await states()).join() === 'web',
    30,
  );
});

test('without an agent: exit code 1 and who is missing; exec needs none', async () => {
  await agent.kill('SIGTERM');
  const { code, stderr } = await workload('list').ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^overland: no agent listens on .*agent\.sock; is it running on this host\?\n$/,
  );
  expect((await workload('exec', 'web', '--', 'true').ended).code).toBe(0);

  let asked = false;
  const server = createServer((socket) => {
    asked = true;
    socket.destroy();
  }).listen(`${agent.stateDirectory}/agent.sock`);
  const { child, ended } = workload('run', 'lonely');
  await until('it asks for the agent', () => asked);
  server.close();
  // It waits for the agent for 30 s, unless it is told not to.
  child.kill('SIGINT');
  expect(await ended).toMatchObject({
    code: 1,
    stderr: 'overland: lonely: interrupted by SIGINT\n',
  });
  expect(await namespaces()).toEqual(['web']);
});
