import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { netns } from '@overland/linux/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentHost, agentHost, OVERLAND } from './support/agent.ts';
import { manifest } from './support/manifest.ts';
import { until } from './support/until.ts';

const SECRETS = ['of-etcd-3b1f', 'of-environment-77aa', 'of-a-file-9d2c', 'in-a-log-5e5e'];
const [ETCD, ENVIRONMENT, FILE, LOG] = SECRETS;

const run = promisify(execFile);
const cleanup = new AsyncDisposableStack();
let directory: string;
let agent: AgentHost;
let unpacked: string;
let result: { readonly stdout: string; readonly stderr: string };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'overland-diags-'));
  const host = cleanup.use(await netns());
  await host.ip('address', 'add', '10.255.1.11/32', 'dev', 'lo');
  const settings = { nodeName: 'host11', asNumber: 65101, ipv4: '10.255.1.11' };
  agent = cleanup.use(
    await agentHost(host, settings, [manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16' })]),
  );
  agent.start();
  await agent.client.waitUntilReady(40_000);
  const snapshot = join(agent.stateDirectory, 'snapshot.json');
  await until('there is a snapshot', () => existsSync(snapshot));

  const config = join(directory, 'agent.yaml');
  await writeFile(
    config,
    `nodeName: host11\netcdPassword: ${ETCD}\nstateDirectory: ${agent.stateDirectory}\n`,
  );
  await writeFile(join(directory, 'broken.yaml'), `password: "${FILE}\n: [`);
  const logs = join(directory, 'logs');
  await mkdir(logs);
  await writeFile(join(logs, 'agent.log'), `begun ${ETCD}\npassword: ${LOG}\nlast line\n`);
  const env = {
    ...process.env,
    OVERLAND_CONFIG: config,
    OVERLAND_BOOTSTRAP_FILE: join(directory, 'broken.yaml'),
    OVERLAND_API_SOCKET: join(agent.stateDirectory, 'agent.sock'),
    ETCD_PASSWORD: ENVIRONMENT,
  };
  const argv = ['netns', 'exec', host.name, ...OVERLAND, 'node', 'diags', '--log-dir', logs];
  result = await run('ip', [...argv, '-o', 'archive.tar.gz'], { cwd: directory, env });
  unpacked = join(directory, 'unpacked');
  await mkdir(unpacked);
  await run('tar', ['-xzf', join(directory, 'archive.tar.gz'), '-C', unpacked]);
});
afterAll(async () => {
  await cleanup.disposeAsync();
  await rm(directory, { recursive: true });
});

async function read(path: string): Promise<string> {
  return await readFile(join(unpacked, path), 'utf8');
}

test('the archive is for its owner alone, and named', async () => {
  const { mode } = await stat(join(directory, 'archive.tar.gz'));
  expect(mode & 0o777).toBe(0o600);
  expect(result.stdout).toBe(`${join(directory, 'archive.tar.gz')}\n`);
});

test('has the state of the kernel and of the agent', async () => {
  expect(await read('network/addresses.txt')).toContain('10.255.1.11/32');
  expect(await read('filter/nft-ruleset.txt')).toContain('table inet overland');
  expect(JSON.parse(await read('agent/status.json'))).toMatchObject({ nodeName: 'host11' });
  expect(await read('agent/metrics.txt')).toContain('# TYPE');
  expect(await read('agent/snapshot-keys.txt')).toContain('/ippools/ipv4');
  expect(await read('agent/state-directory.txt')).toMatch(/^0600 .*snapshot\.json$/m);
  expect(await read(join('logs', directory, 'logs/agent.log.txt'))).toContain('last line');
  expect(await read(join('config', directory, 'agent.yaml.json'))).toContain(
    '"nodeName": "host11"',
  );
});

test('has no secret in any file', async () => {
  const names = await readdir(unpacked, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(30);
  for (const { parentPath, name } of files) {
    const text = await readFile(join(parentPath, name), 'utf8');
    for (const secret of SECRETS) expect(text.includes(secret), `${secret} in ${name}`).toBe(false);
  }
});

test('what could not be had is noted, and no reason to stop', async () => {
  const summary = await read('summary.txt');
  expect(summary).toMatch(/broken\.yaml\.json +[0-9.]+ +is not YAML, and left out/);
  expect(result.stderr).toMatch(/\d+ of \d+ are missing or not whole: see summary.txt/);
});
