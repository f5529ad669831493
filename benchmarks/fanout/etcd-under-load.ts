import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openDatastore } from '@overland/datastore';

const PATIENCE_MS = 30_000;
/** Of `/proc/PID/stat`: USER_HZ of every Linux there is. */
const TICKS_PER_SECOND = 100;

/** A program that is measured; ended when it leaves scope. */
interface Measured extends AsyncDisposable {
  readonly endpoint: string;
  usage(): Usage;
}

/** From the start of the program. */
interface Usage {
  readonly cpuSeconds: number;
  readonly residentMb: number;
  readonly peakMb: number;
}

/** etcd as Debian has it, with its own defaults, on a directory in /tmp. */
export async function startEtcd(): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'overland-fanout-'));
  const [client, peer] = [await freePort(), await freePort()];
  const [endpoint, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  const argv = Object.entries({
    '--data-dir': directory,
    '--listen-client-urls': endpoint,
    '--advertise-client-urls': endpoint,
    '--listen-peer-urls': peerUrl,
    '--initial-advertise-peer-urls': peerUrl,
    '--initial-cluster': `default=${peerUrl}`,
    '--log-level': 'error',
  }).flat();
  return run(argv, endpoint, () => rmSync(directory, { recursive: true }));
}

/** etcd's own proxy in front of it. */
export async function startProxy(etcd: string): Promise<Measured> {
  const port = await freePort();
  const argv = ['grpc-proxy', 'start', '--endpoints', etcd, '--listen-addr', `127.0.0.1:${port}`];
  return run(argv, `http://127.0.0.1:${port}`, () => undefined);
}

async function run(
  argv: readonly string[],
  endpoint: string,
  cleanUp: () => void,
): Promise<Measured> {
  const child = spawn('etcd', argv, { stdio: 'ignore' });
  const exit = once(child, 'exit');
  await untilAnswers(endpoint);
  return {
    endpoint,
    usage: () => usageOf(child.pid ?? 0),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exit;
      cleanUp();
    },
  };
}

async function untilAnswers(endpoint: string): Promise<void> {
  await using store = await openDatastore({ type: 'etcd', endpoints: [endpoint] });
  for (const deadline = performance.now() + PATIENCE_MS; ; await delay(100)) {
    try {
      await store.get('/');
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

function usageOf(pid: number): Usage {
  // The name of the program, in parentheses, may hold anything.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string): number =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024);
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    residentMb: megabytes('VmRSS'),
    peakMb: megabytes('VmHWM'),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
