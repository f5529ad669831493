import { readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { type PolicyState, policyStateFromJson, policyStateToJson } from '@overland/felix';
import { readIfPresent, writeDurably } from '@overland/linux/durable-file';
import type { Logger } from 'pino';
import { SnapshotKeeper } from './snapshot-keeper.ts';

/** Sets have members on all hosts, which come and go. */
const GATHER_MS = 5000;

export interface PolicySnapshotOptions {
  readonly path: string;
  readonly nodeName: string;
  readonly log: Logger;
}

/**
 * What the packet filter should hold, on disk, for a start without the datastore. Changes are gathered before they are
 * written; meanwhile a mark beside it says that the packet filter of this kernel knows more.
 */
export class PolicySnapshot {
  readonly #options: PolicySnapshotOptions;
  readonly #keeper: SnapshotKeeper<{ readonly state: PolicyState }>;
  /** Changes that the packet filter was told of. */
  #changes = 0;
  #isMarked = false;
  /** Marks are made and removed in order. */
  #marking: Promise<void> = Promise.resolve();

  constructor(options: PolicySnapshotOptions) {
    this.#options = options;
    const { log } = options;
    this.#keeper = new SnapshotKeeper({
      write: ({ state }) => this.#write(state),
      gatherMs: GATHER_MS,
      log,
    });
  }

  /** Before the packet filter is told of a change: what is on disk is older from then on. */
  outdate(): Promise<void> {
    this.#changes++;
    if (this.#isMarked) return this.#marking;
    this.#isMarked = true;
    return this.#mark(async () => writeFile(this.#markPath, await thisKernel(), { mode: 0o600 }));
  }

  /** @param source Its state is written, as it is then. */
  changed(source: { readonly state: PolicyState }): void {
    this.#keeper.changed(source);
  }

  /** Writes now what has not been written. */
  flush(): Promise<void> {
    return this.#keeper.flush();
  }

  /**
   * @returns `undefined` if there is none for this node, or none that this version can read; `outdated`: the packet
   * filter of this kernel was told of something since.
   */
  async read(): Promise<PolicyState | 'outdated' | undefined> {
    const text = await readIfPresent(this.#options.path);
    if (text === undefined) return undefined;
    const mark = await readIfPresent(this.#markPath);
    if (mark !== undefined && mark === (await thisKernel())) return 'outdated';
    try {
      const stored = JSON.parse(text) as { readonly nodeName?: unknown; readonly policy?: unknown };
      const isOwn = stored.nodeName === this.#options.nodeName;
      return isOwn ? policyStateFromJson(stored.policy) : undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  get #markPath(): string {
    return `${this.#options.path}.outdated`;
  }

  async #write(state: PolicyState): Promise<void> {
    const { path, nodeName } = this.#options;
    const changes = this.#changes;
    await writeDurably(path, `${JSON.stringify({ nodeName, policy: policyStateToJson(state) })}\n`);
    if (changes !== this.#changes) return;
    this.#isMarked = false;
    await this.#mark(() => rm(this.#markPath, { force: true }));
  }

  #mark(work: () => Promise<void>): Promise<void> {
    this.#marking = this.#marking.then(work).catch((error: unknown) => {
      // A disk that takes nothing must not keep a policy from the packet filter.
      this.#options.log.warn({ err: error }, 'cannot mark the snapshot of the policy as outdated');
    });
    return this.#marking;
  }
}

/** Names the kernel and its network namespace: rules end with either, and so does what a mark says. */
async function thisKernel(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  return `${boot.trim()} ${await readlink('/proc/self/ns/net')}`;
}
