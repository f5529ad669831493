import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createNamespace, deleteNamespace, type Kernel, openKernel } from '@overland/linux';
import { formatInterfaceAddress } from '@overland/net';
import { execute } from '../run-plugin.ts';
import { isAtLeast, SPEC_VERSIONS, type SpecVersion } from '../spec-version.ts';
import { demand, NotApplicable } from './verdict.ts';

export interface ConformanceOptions {
  /** Path of the executable. */
  readonly plugin: string;
  /** Network configuration of the plugin, without cniVersion. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The same with at most some ten addresses to give; without it exhaustion is not looked at. */
  readonly smallConfig?: Readonly<Record<string, unknown>> | undefined;
  /** Directories of plugins, for CNI_PATH. */
  readonly path: readonly string[];
  /** Of the plugin, besides what CNI says. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables under which the plugin finds its daemon gone; without them that is not looked at. */
  readonly daemonGone?: Readonly<Record<string, string>> | undefined;
  /** File name of the plugin for address management alone, in `path`. */
  readonly ipam?: string | undefined;
  /** ADDs at the same time. */
  readonly concurrency: number;
}

/** One run of the plugin. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  /** What it printed, if that is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: the plugin decides what it is
  readonly answer: any;
  readonly milliseconds: number;
}

/** What a run is told; what is left away is the usual. `undefined` takes a variable away. */
export interface RunOptions {
  readonly id?: string | undefined;
  readonly netns?: string | undefined;
  readonly ifname?: string | undefined;
  readonly args?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Put over the network configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly stdin?: string;
  /** Another executable. */
  readonly plugin?: string;
  /** Killed after so long. */
  readonly killAfterMs?: number;
}

/** A network namespace that stands for a container. */
export interface Container {
  readonly id: string;
  readonly netns: string;
  readonly kernel: Kernel;
  /** Its end, without a DEL: whatever holds it lets go. */
  remove(): Promise<void>;
}

const RUN_TIMEOUT_MS = 60_000;

/** Runs a plugin, and looks at what it has done to this network namespace and to containers'. */
export class Bench implements AsyncDisposable {
  readonly options: ConformanceOptions;
  readonly host: Kernel = openKernel();
  /** What no run may do, whatever the point: found while the others are looked at. */
  readonly outputFaults: string[] = [];
  readonly #cleanup = new AsyncDisposableStack();
  #versions: readonly SpecVersion[] = [];

  constructor(options: ConformanceOptions) {
    this.options = options;
    this.#cleanup.use(this.host);
  }

  /** Asks the plugin which versions it knows, and has it make what it makes once. */
  async start(): Promise<void> {
    const { answer } = await this.run('VERSION');
    const told: unknown = answer?.supportedVersions;
    this.#versions = SPEC_VERSIONS.filter((one) => Array.isArray(told) && told.includes(one));
    // What a plugin makes once and keeps, such as a bridge, is then there before anything is looked at.
    const first = await this.container();
    await this.run('ADD', first);
    await this.run('DEL', first);
  }

  get versions(): readonly SpecVersion[] {
    return this.#versions;
  }

  /** The newest that it knows. */
  get version(): SpecVersion {
    return this.#versions.at(-1) ?? '1.0.0';
  }

  /** @throws {NotApplicable} If the plugin does not know the version. */
  need(version: SpecVersion, what: string): void {
    if (!isAtLeast(this.version, version)) {
      throw new NotApplicable(`${what} came with ${version}, the plugin knows ${this.version}`);
    }
  }

  config(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const type = basename(this.options.plugin);
    return { cniVersion: this.version, name: 'conformance', type, ...this.options.config, ...over };
  }

  async run(command: string, options: RunOptions = {}): Promise<Run> {
    const {
      id = 'conformance',
      netns = '',
      ifname = 'eth0',
      args,
      plugin = this.options.plugin,
    } = options;
    const variables: Record<string, string | undefined> = {
      ...this.options.env,
      CNI_COMMAND: command,
      CNI_CONTAINERID: id,
      CNI_NETNS: netns,
      CNI_IFNAME: ifname,
      CNI_PATH: this.options.path.join(':'),
      CNI_ARGS: args,
      ...options.env,
    };
    const env = Object.fromEntries(
      Object.entries(variables).flatMap(([key, value]) =>
        value === undefined ? [] : [[key, value]],
      ),
    );
    const stdin = options.stdin ?? JSON.stringify(this.config(options.config));
    const began = performance.now();
    const end = await execute(plugin, env, stdin, options.killAfterMs ?? RUN_TIMEOUT_MS);
    const milliseconds = performance.now() - began;
    const answer = parse(end.stdout);
    if (end.code !== null) this.#lookAtOutput(command, end.code, end.stdout, answer);
    return { code: end.code, stdout: end.stdout, answer, milliseconds };
  }

  /** An ADD that has to succeed. */
  async add(container: Container, options: RunOptions = {}): Promise<Run> {
    const run = await this.run('ADD', { ...container, ...options });
    demand(run.code === 0, `ADD failed: ${saidBy(run)}`);
    return run;
  }

  /** A DEL that has to succeed, without a word. */
  async del(container: Pick<Container, 'id' | 'netns'>, options: RunOptions = {}): Promise<void> {
    const { id, netns } = container;
    const run = await this.run('DEL', { id, netns, ...options });
    demand(run.code === 0, `DEL failed: ${saidBy(run)}`);
    demand(run.stdout.trim() === '', `DEL printed ${run.stdout.slice(0, 200)}`);
  }

  async container(): Promise<Container> {
    const name = `conf-${randomBytes(5).toString('hex')}`;
    const netns = createNamespace(name);
    const kernel = openKernel({ namespace: netns });
    this.#cleanup.defer(() => deleteNamespace(name));
    this.#cleanup.use(kernel);
    await kernel.links.set('lo', { up: true });
    const remove = async (): Promise<void> => {
      await kernel[Symbol.asyncDispose]();
      deleteNamespace(name);
    };
    return { id: name, netns, kernel, remove };
  }

  /** Interfaces and routes of this namespace: the same again when everything is gone. */
  async hostState(): Promise<string> {
    const links = (await this.host.links.list()).map(({ name }) => name);
    const routes = [
      ...(await this.host.routes.list('ipv4')),
      ...(await this.host.routes.list('ipv6')),
    ].flatMap(({ destination, target }) =>
      // Of blocks of addresses, which outlive containers.
      target.type === 'blackhole' ? [] : `${destination} ${JSON.stringify(target)}`,
    );
    return [...links, ...routes].toSorted().join('\n');
  }

  /** @throws {Nonconformity} If more than what was there before stays for so long. */
  async demandSameHost(before: string, when: string, patienceMs = 5000): Promise<void> {
    const known = new Set(before.split('\n'));
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const left = (await this.hostState()).split('\n').filter((line) => !known.has(line));
      if (left.length === 0) return;
      demand(performance.now() < deadline, `${when} is left: ${left.join(', ')}`);
      await delay(50);
    }
  }

  #lookAtOutput(command: string, code: number, stdout: string, answer: unknown): void {
    const isEmpty = stdout.trim() === '';
    if (code !== 0 && isEmpty)
      this.outputFaults.push(`${command} ended with ${code} and printed nothing`);
    if (!isEmpty && answer === undefined)
      this.outputFaults.push(
        `${command} printed what is not one JSON document: ${stdout.slice(0, 80)}`,
      );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

/** What there is of an interface's addresses, as a result has them. */
export async function addressesOf(kernel: Kernel, device: string): Promise<string[]> {
  return (await kernel.links.addresses(device)).map(formatInterfaceAddress);
}

/** @throws {Nonconformity} Unless the run failed, with one of the codes if some are given. */
export function demandError(run: Run, when: string, codes: readonly number[] = []): void {
  demand(run.code !== 0, `${when}: it succeeded`);
  const code: unknown = run.answer?.code;
  demand(typeof code === 'number', `${when}: its answer has no code: ${saidBy(run)}`);
  const wanted = codes.join(' or ');
  demand(codes.length === 0 || codes.includes(code), `${when}: code ${code}, not ${wanted}`);
}

/** The last words of a run, for complaints. */
export function saidBy({ code, stdout, answer }: Run): string {
  const message: unknown = answer?.msg;
  return `exit code ${code}, ${typeof message === 'string' ? message : stdout.slice(0, 200) || 'nothing printed'}`;
}

function parse(stdout: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}
