import { setTimeout as delay } from 'node:timers/promises';
import type { Change, Datastore } from '@overland/datastore';

/** One range of keys to watch. */
export interface WatchedPrefix {
  readonly prefix: string;
  /** Whether all of the range is told to {@link WatchListeners.onPolicy}. */
  readonly isPolicy?: boolean;
  /** Keys of the range that are kept; absent: all. */
  readonly accept?: (key: string) => boolean;
  /** A single key to be watched for as long as `key` is there. */
  readonly companionOf?: (key: string) => string | undefined;
  /** Keys of an object of which a part is stored apart: the object's own, and that of the part. */
  readonly halvesOf?: (key: string) => readonly [base: string, apart: string] | undefined;
}

export interface WatchListeners {
  /** Called after changes, once every prefix has been read to its end. */
  readonly onChange: () => void;
  /** Told each change of a range that decides about policy, from the first one on. */
  readonly onPolicy: (key: string, value: string | undefined) => void;
}

/** How long after a read that failed it is tried again. */
const RETRY_MS = 500;

/**
 * The entries under some prefixes, kept current by one watch each. What they mean is the reader's: a reader
 * computes from what is there now, never from the history of changes.
 */
export class WatchedEntries {
  readonly #prefixes: readonly WatchedPrefix[];
  readonly #entries = new Map<string, string>();
  readonly #unsynced: Set<string>;
  #version = 0;
  readonly #listeners: WatchListeners;
  /** What ends the watch of each companion. */
  readonly #companions = new Map<string, AbortController>();
  readonly #failure = Promise.withResolvers<never>();

  constructor(prefixes: readonly WatchedPrefix[], listeners: WatchListeners) {
    this.#prefixes = prefixes;
    this.#unsynced = new Set(prefixes.map(({ prefix }) => prefix));
    this.#listeners = listeners;
  }

  /** By key; values as stored. */
  get entries(): ReadonlyMap<string, string> {
    return this.#entries;
  }

  /** Another number after every change of {@link entries}: what only policy is told of changes nothing here. */
  get version(): number {
    return this.#version;
  }

  /** Whether every prefix has been read to its end: absence means something from then on. */
  get synced(): boolean {
    return this.#unsynced.size === 0;
  }

  /** Watches until `signal` aborts. Throws only what trying again cannot mend. */
  async run(datastore: Datastore, signal: AbortSignal): Promise<void> {
    const watches = this.#prefixes.map((watched) => this.#watch(datastore, watched, signal));
    await Promise.race([Promise.all(watches), this.#failure.promise]);
  }

  async #watch(
    datastore: Datastore,
    { prefix, isPolicy = false, accept, companionOf, halvesOf }: WatchedPrefix,
    signal: AbortSignal,
  ): Promise<void> {
    for await (const change of datastore.watch(prefix, signal)) {
      if (isPolicy && change.type !== 'synced') {
        this.#listeners.onPolicy(keyOf(change), storedIn(change));
      }
      if (change.type === 'synced') this.#unsynced.delete(prefix);
      else if (!accept || accept(keyOf(change))) {
        const halves = this.synced ? halvesOf?.(keyOf(change)) : undefined;
        if (halves) await this.#readHalves(datastore, halves, signal);
        else this.#apply(change);
        const companion = companionOf?.(keyOf(change));
        if (companion !== undefined && change.type === 'delete') this.#forget(companion);
        else if (companion !== undefined) this.#accompany(datastore, companion, signal);
      } else if (!isPolicy) continue;
      if (this.synced) this.#listeners.onChange();
    }
  }

  /** Watches one key. What comes before the first sync is part of it. */
  #accompany(datastore: Datastore, key: string, signal: AbortSignal): void {
    if (this.#companions.has(key)) return;
    const stop = new AbortController();
    this.#companions.set(key, stop);
    if (!this.synced) this.#unsynced.add(key);
    const end = AbortSignal.any([signal, stop.signal]);
    this.#watchKey(datastore, key, end).catch(this.#failure.reject);
  }

  async #watchKey(datastore: Datastore, key: string, signal: AbortSignal): Promise<void> {
    for await (const change of datastore.watch(key, signal)) {
      if (signal.aborted) return;
      if (change.type === 'synced') this.#unsynced.delete(key);
      else if (keyOf(change) === key) this.#apply(change);
      if (this.synced) this.#listeners.onChange();
    }
  }

  /**
   * Reads an object of two halves as it is at one moment. Both are written at once, but two watches tell of it: one of
   * them alone would be an object that nobody has written, such as a session without its password. Whoever writes the
   * part apart writes the object as well, so the object's revision covers both.
   */
  async #readHalves(
    datastore: Datastore,
    [base, apart]: readonly [string, string],
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        const [before, part, after] = [
          await datastore.get(base),
          await datastore.get(apart),
          await datastore.get(base),
        ];
        if (before?.revision !== after?.revision) continue;
        this.#set(base, after?.value);
        this.#set(apart, part?.value);
        return;
      } catch {
        // What the datastore says of itself is told elsewhere; until it answers, the object stays as it was.
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #set(key: string, value: string | undefined): void {
    this.#version++;
    if (value === undefined) this.#entries.delete(key);
    else this.#entries.set(key, value);
  }

  #forget(companion: string): void {
    this.#companions.get(companion)?.abort();
    this.#companions.delete(companion);
    this.#unsynced.delete(companion);
    this.#set(companion, undefined);
  }

  #apply(change: Exclude<Change, { type: 'synced' }>): void {
    this.#set(keyOf(change), storedIn(change));
  }
}

function keyOf(change: Exclude<Change, { type: 'synced' }>): string {
  return change.type === 'put' ? change.entry.key : change.key;
}

function storedIn(change: Exclude<Change, { type: 'synced' }>): string | undefined {
  return change.type === 'put' ? change.entry.value : undefined;
}
