import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, vi } from 'vitest';

const run = promisify(execFile);
const STARTUP = { timeout: 30_000, interval: 100 };

/** How an etcd is to run. */
export interface EtcdProcessOptions {
  /** Further arguments of etcd. */
  readonly args?: readonly string[];
  /** Arguments with which etcdctl gets in: users, certificates. */
  readonly ctlArgs?: readonly string[];
  readonly scheme?: 'http' | 'https';
  /** Put before the argv of etcd and etcdctl: what enters another network namespace. */
  readonly enter?: readonly string[];
  /** As one member of several: see {@link EtcdCluster}. */
  readonly member?: EtcdMember;
}

/** What tells one member of a cluster from the others. */
interface EtcdMember {
  readonly name: string;
  readonly peerPort: number;
  /** `name=url` of every member. */
  readonly initialCluster: string;
}

/** A real etcd, one member, on ports of its own of the loopback; gone when it leaves scope. */
export class EtcdProcess implements AsyncDisposable {
  readonly #directory: string;
  readonly #ports: readonly [client: number, second: number, peer: number];
  readonly #options: EtcdProcessOptions;
  #ctlArgs: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(
    directory: string,
    ports: readonly [number, number, number],
    options: EtcdProcessOptions,
  ) {
    this.#directory = directory;
    this.#ports = ports;
    this.#options = options;
    this.#ctlArgs = options.ctlArgs ?? [];
  }

  static async start(options: EtcdProcessOptions = {}): Promise<EtcdProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'overland-etcd-'));
    const peerPort = options.member?.peerPort ?? (await freePort());
    const ports = [await freePort(), await freePort(), peerPort] as const;
    const etcd = new EtcdProcess(directory, ports, options);
    await etcd.start();
    return etcd;
  }

  /** Also the one that {@link ctl} uses. */
  get endpoint(): string {
    return `${this.#options.scheme ?? 'http'}://127.0.0.1:${this.#ports[0]}`;
  }

  /** A second way to the same member, which a test can cut off: its port. */
  get secondPort(): number {
    return this.#ports[1];
  }

  /** From now on etcdctl gets in with these arguments. */
  useCtlArgs(...args: readonly string[]): void {
    this.#ctlArgs = args;
  }

  /** Starts it again on the same data. */
  async start(): Promise<void> {
    const [first, second, peerPort] = this.#ports;
    const scheme = this.#options.scheme ?? 'http';
    const peer = `http://127.0.0.1:${peerPort}`;
    const { name = 'default', initialCluster = `default=${peer}` } = this.#options.member ?? {};
    const options = {
      '--name': name,
      '--data-dir': this.#directory,
      '--listen-client-urls': `${scheme}://127.0.0.1:${first},${scheme}://127.0.0.1:${second}`,
      '--advertise-client-urls': this.endpoint,
      '--listen-peer-urls': peer,
      '--initial-advertise-peer-urls': peer,
      '--initial-cluster': initialCluster,
      '--log-level': 'error',
    };
    const argv = [...Object.entries(options).flat(), ...(this.#options.args ?? [])];
    const [program, ...args] = this.#entered('etcd', argv);
    this.#child = spawn(program, args, { stdio: 'ignore' });
    await vi.waitFor(() => this.ctl('endpoint', 'health'), STARTUP);
  }

  /** Runs etcdctl. @returns Its standard output. */
  async ctl(...args: readonly string[]): Promise<string> {
    const all = ['--endpoints', this.endpoint, ...this.#ctlArgs, ...args];
    const [program, ...argv] = this.#entered('etcdctl', all);
    const { stdout } = await run(program, argv, { env: { ...process.env, ETCDCTL_API: '3' } });
    return stdout;
  }

  #entered(program: string, args: readonly string[]): [string, ...string[]] {
    const [first, ...more] = this.#options.enter ?? [];
    return first === undefined ? [program, ...args] : [first, ...more, program, ...args];
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

  /** Saves a backup of what is stored now. @returns Its path, gone with this etcd. */
  async backUp(): Promise<string> {
    const path = `${this.#directory}.backup`;
    await rm(path, { force: true });
    await this.ctl('snapshot', 'save', path);
    return path;
  }

  /** Ends it at once and starts it on a backup. @param token Of the new cluster; another one makes it another cluster. */
  async restore(path: string, token = 'etcd-cluster'): Promise<void> {
    await this.crash();
    await rm(this.#directory, { recursive: true });
    const peer = `http://127.0.0.1:${this.#ports[2]}`;
    const options = {
      '--data-dir': this.#directory,
      '--name': 'default',
      '--initial-cluster': `default=${peer}`,
      '--initial-advertise-peer-urls': peer,
      '--initial-cluster-token': token,
    };
    await this.ctl('snapshot', 'restore', path, ...Object.entries(options).flat());
    await this.start();
  }

  signal(signal: NodeJS.Signals): void {
    expect(this.#child?.kill(signal)).toBe(true);
  }

  /** Stops it where it is (SIGSTOP), and returns once it answers no more: the signal alone leaves threads a moment. */
  async hang(): Promise<void> {
    this.signal('SIGSTOP');
    const tasks = `/proc/${this.#child?.pid}/task`;
    await vi.waitFor(
      async () => {
        for (const task of await readdir(tasks)) {
          expect(await readFile(`${tasks}/${task}/stat`, 'utf8')).toMatch(/\) T /);
        }
      },
      { timeout: 5000, interval: 10 },
    );
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
    await rm(this.#directory, { recursive: true, force: true });
    await rm(`${this.#directory}.backup`, { force: true });
  }
}

/** Below the range that the kernel takes source ports from, and above the well-known ones. */
const [LOWEST_PORT, HIGHEST_PORT] = [10_000, 32_767];

/**
 * A TCP port of the loopback that nobody listens on. No connection gets it as its source port, not even one that
 * dials a server which is down, and would then be connected to itself and keep the port.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT + 1 - LOWEST_PORT));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
