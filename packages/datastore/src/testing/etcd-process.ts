import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, vi } from 'vitest';

const run = promisify(execFile);
const STARTUP = { timeout: 30_000, interval: 100 };

/** A real etcd with one member, on ports of its own of the loopback; gone when it leaves scope. */
export class EtcdProcess implements AsyncDisposable {
  readonly #directory: string;
  readonly #ports: readonly [client: number, peer: number];
  readonly #arguments: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(
    directory: string,
    ports: readonly [number, number],
    args: readonly string[],
  ) {
    this.#directory = directory;
    this.#ports = ports;
    this.#arguments = args;
  }

  /** @param args Further arguments of etcd. */
  static async start(args: readonly string[] = []): Promise<EtcdProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'overland-etcd-'));
    const etcd = new EtcdProcess(directory, [await freePort(), await freePort()], args);
    await etcd.start();
    return etcd;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#ports[0];
  }

  /** Starts it again on the same data. */
  async start(): Promise<void> {
    const [client, peer] = this.#ports.map((port) => `http://127.0.0.1:${port}`);
    const options = {
      '--data-dir': this.#directory,
      '--listen-client-urls': client,
      '--advertise-client-urls': client,
      '--listen-peer-urls': peer,
      '--initial-advertise-peer-urls': peer,
      '--initial-cluster': `default=${peer}`,
      '--log-level': 'error',
    };
    const argv = Object.entries(options).flatMap(([name, value]) => [name, value ?? '']);
    this.#child = spawn('etcd', [...argv, ...this.#arguments], { stdio: 'ignore' });
    await vi.waitFor(() => this.ctl('endpoint', 'health'), STARTUP);
  }

  /** Runs etcdctl. @returns Its standard output. */
  async ctl(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('etcdctl', ['--endpoints', this.endpoint, ...args], {
      env: { ...process.env, ETCDCTL_API: '3' },
    });
    return stdout;
  }

  /** Deletes every key. */
  async clear(): Promise<void> {
    await this.ctl('del', '', '--from-key');
  }

  /** Forgets all revisions but the current one. */
  async compact(): Promise<void> {
    const [status] = JSON.parse(await this.ctl('endpoint', 'status', '-w', 'json')) as [
      { Status: { header: { revision: number } } },
    ];
    await this.ctl('compact', String(status.Status.header.revision));
  }

  signal(signal: NodeJS.Signals): void {
    expect(this.#child?.kill(signal)).toBe(true);
  }

  /** Ends it at once, as a crash would. */
  async crash(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.crash();
    await rm(this.#directory, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
