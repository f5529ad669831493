import type { Change, Datastore } from '@overland/datastore';

/** One range of keys to watch. */
export interface WatchedPrefix {
  readonly prefix: string;
  /** Keys of the range that are of interest; absent: all. */
  readonly accept?: (key: string) => boolean;
}

/**
 * The entries under some prefixes, kept current by one watch each. What they mean is the reader's: a reader
 * computes from what is there now, never from the history of changes.
 */
export class WatchedEntries {
  readonly #prefixes: readonly WatchedPrefix[];
  readonly #entries = new Map<string, string>();
  readonly #unsynced: Set<string>;
  readonly #onChange: () => void;

  /** @param onChange Called after changes, once every prefix has been read to its end. */
  constructor(prefixes: readonly WatchedPrefix[], onChange: () => void) {
    this.#prefixes = prefixes;
    this.#unsynced = new Set(prefixes.map(({ prefix }) => prefix));
    this.#onChange = onChange;
  }

  /** By key; values as stored. */
  get entries(): ReadonlyMap<string, string> {
    return this.#entries;
  }

  /** Whether every prefix has been read to its end: absence means something from then on. */
  get synced(): boolean {
    return this.#unsynced.size === 0;
  }

  /** Watches until `signal` aborts. Throws only what trying again cannot mend. */
  async run(datastore: Datastore, signal: AbortSignal): Promise<void> {
    await Promise.all(this.#prefixes.map((watched) => this.#watch(datastore, watched, signal)));
  }

  async #watch(
    datastore: Datastore,
    { prefix, accept }: WatchedPrefix,
    signal: AbortSignal,
  ): Promise<void> {
    for await (const change of datastore.watch(prefix, signal)) {
      if (change.type === 'synced') this.#unsynced.delete(prefix);
      else if (!accept || accept(keyOf(change))) this.#apply(change);
      else continue;
      if (this.synced) this.#onChange();
    }
  }

  #apply(change: Exclude<Change, { type: 'synced' }>): void {
    if (change.type === 'put') this.#entries.set(change.entry.key, change.entry.value);
    else this.#entries.delete(change.key);
  }
}

function keyOf(change: Exclude<Change, { type: 'synced' }>): string {
  return change.type === 'put' ? change.entry.key : change.key;
}
