import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type AgentClient, agentClient } from '@overland/agent/client';
import { type Datastore, openDatastore } from '@overland/datastore';
import type { DataplaneStatus } from '@overland/felix';
import { manifest } from '../../../tests/interop/support/manifest.ts';
import { until } from '../../../tests/interop/support/until.ts';

/** Compiled: what every host runs. */
const BIN = join(import.meta.dirname, '../../../packages/cli/dist/bin.js');
const [ETCD, ETCD_PEER] = [12_379, 12_380];
const ADDRESS = '10.255.1.11';
export const NODE = 'host11';
const START_MS = 120_000;

const MANIFESTS = [
  manifest('IPPool', 'ipv4', { cidr: '10.65.0.0/16', blockSize: 22, natOutgoing: false }),
  manifest('BGPConfiguration', 'default', { nodeToNodeMeshEnabled: false }),
];

/** A host in the network namespace of this process (so: its own, see `scripts/isolated`), with a real etcd. */
export interface PolicyHost extends AsyncDisposable {
  readonly datastore: Datastore;
  readonly client: AgentClient;
  /** Starts the agent. @returns When it was, of `performance.now`. */
  start(): number;
  /** Ends the agent and waits for it. */
  stop(signal: NodeJS.Signals): Promise<void>;
  /** The last that the agent has logged. */
  readonly log: string;
}

/** @param settings Of the agent, besides those that a host needs. */
export async function policyHost(
  settings: Readonly<Record<string, unknown>> = {},
): Promise<PolicyHost> {
  const stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'policy-host-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await run('ip', 'address', 'add', `${ADDRESS}/32`, 'dev', 'lo');
  stack.use(startEtcd(join(directory, 'etcd')));
  const datastore = await openDatastore({ type: 'etcd', endpoints: [endpoint(ETCD)] });
  stack.use(datastore);
  const isUp = (): Promise<boolean> =>
    datastore.get('/').then(
      () => true,
      () => false,
    );
  await until('etcd answers', isUp, 30);
  const file = await writeSettings(directory, settings);
  let agent: ChildProcess | undefined;
  let log = '';
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (!agent || agent.exitCode !== null || agent.signalCode !== null) return;
    const ended = once(agent, 'exit');
    agent.kill(signal);
    await ended;
  };
  stack.defer(() => stop('SIGTERM'));
  return {
    datastore,
    client: agentClient(join(directory, 'agent.sock')),
    start() {
      const nodeOptions = process.env.AGENT_NODE_OPTIONS?.split(' ') ?? [];
      const argv = [...nodeOptions, BIN, 'agent', '--config', file];
      const began = performance.now();
      agent = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
      const keep = (text: Buffer): void => {
        log = (log + text.toString()).slice(-8000);
      };
      agent.stdout?.on('data', keep);
      agent.stderr?.on('data', keep);
      return began;
    },
    stop,
    get log() {
      return log;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Runs a program to its end. @returns Its standard output. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(program, args, { maxBuffer: 256 << 20 })).stdout;
}

/** Waits until policy of so many endpoints is in the packet filter, and whatever else is asked for. */
export async function programmed(
  host: PolicyHost,
  endpoints: number,
  isDone: (dataplane: DataplaneStatus) => boolean = () => true,
): Promise<void> {
  const probe = async (): Promise<boolean> => {
    const status = await host.client.nodeStatus().catch(() => undefined);
    const { policy } = status?.dataplane ?? {};
    const isThere = policy?.synced === true && policy.endpoints >= endpoints;
    return isThere && status !== undefined && isDone(status.dataplane);
  };
  await until(() => `policy is programmed:\n${host.log}`, probe, START_MS / 1000);
}

async function writeSettings(directory: string, settings: object): Promise<string> {
  const bootstrapFile = join(directory, 'bootstrap.yaml');
  await writeFile(bootstrapFile, MANIFESTS.map((each) => JSON.stringify(each)).join('\n---\n'));
  const all = {
    nodeName: NODE,
    ipv4: ADDRESS,
    ipv6: 'none',
    datastoreType: 'etcd',
    etcdEndpoints: [endpoint(ETCD)],
    apiSocket: join(directory, 'agent.sock'),
    bfdSocket: join(directory, 'bfd.sock'),
    stateDirectory: directory,
    bootstrapFile,
    offerWaitSeconds: 0,
    logLevel: 'warn',
    ...settings,
  };
  const file = join(directory, 'agent.yaml');
  await writeFile(file, JSON.stringify(all));
  return file;
}

function startEtcd(data: string): AsyncDisposable {
  const options = {
    '--data-dir': data,
    '--listen-client-urls': endpoint(ETCD),
    '--advertise-client-urls': endpoint(ETCD),
    '--listen-peer-urls': endpoint(ETCD_PEER),
    '--initial-advertise-peer-urls': endpoint(ETCD_PEER),
    '--initial-cluster': `default=${endpoint(ETCD_PEER)}`,
    '--log-level': 'error',
  };
  const child = spawn('etcd', Object.entries(options).flat(), { stdio: 'ignore' });
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function endpoint(port: number): string {
  return `http://127.0.0.1:${port}`;
}
