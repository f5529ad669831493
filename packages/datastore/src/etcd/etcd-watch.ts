import { setTimeout as sleep } from 'node:timers/promises';
import type { Change, Entry, Revision } from '../datastore.ts';
import { AccessDeniedError, CompactedError, UnavailableError } from '../errors.ts';
import type { EtcdConnection } from './etcd-connection.ts';
import { isServiceError, portErrorOf } from './etcd-error.ts';
import { rangeEnd, rangeStart } from './key-range.ts';
import { DELETE, type KeyValue, type WatchResponse } from './messages.ts';
import { RANGE, WATCH } from './methods.ts';

const PAGE = 1000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

/** Watches one prefix until told to stop, whatever happens to connections and revisions meanwhile. */
export class EtcdWatch {
  readonly #connection: EtcdConnection;
  readonly #prefix: string;
  readonly #push: (change: Change) => void;
  /** What the reader was told of, for the difference after a compaction. */
  readonly #known = new Map<string, Revision>();
  #isSynced = false;
  /** The first revision not seen yet; `undefined` if the prefix must be listed. */
  #from: bigint | undefined;
  #pause = FIRST_PAUSE_MS;

  constructor(connection: EtcdConnection, prefix: string, push: (change: Change) => void) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#push = push;
  }

  /** @throws {AccessDeniedError} If this client may not read the prefix. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#from ??= await this.#compare();
        if (signal.aborted) return;
        await this.#follow(this.#from, signal);
      } catch (error) {
        if (error instanceof CompactedError) this.#from = undefined;
        else if (!(error instanceof UnavailableError)) throw error;
      }
      if (signal.aborted) return;
      await sleep(this.#pause * (0.5 + Math.random()), undefined, { signal }).catch(
        () => undefined,
      );
      this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE_MS);
    }
  }

  /** Lists everything and reports what differs from what is known. @returns The next revision to see. */
  async #compare(): Promise<bigint> {
    const { entries, revision } = await this.#listAll();
    const gone = new Set(this.#known.keys());
    for (const entry of entries) {
      gone.delete(entry.key);
      if (this.#known.get(entry.key) !== entry.revision) this.#push({ type: 'put', entry });
      this.#known.set(entry.key, entry.revision);
    }
    for (const key of gone) {
      this.#known.delete(key);
      this.#push({ type: 'delete', key, revision });
    }
    if (!this.#isSynced) this.#push({ type: 'synced', revision });
    this.#isSynced = true;
    return BigInt(revision) + 1n;
  }

  async #listAll(): Promise<{ readonly entries: Entry[]; readonly revision: Revision }> {
    const entries: Entry[] = [];
    let revision: Revision | undefined;
    let key = rangeStart(this.#prefix);
    for (;;) {
      const range_end = rangeEnd(this.#prefix);
      const page = await this.#connection.call(RANGE, {
        key,
        range_end,
        limit: `${PAGE}`,
        revision,
      });
      revision ??= (page.header?.revision ?? '0') as Revision;
      for (const kv of page.kvs) entries.push(entryOf(kv));
      const last = page.kvs.at(-1);
      if (!page.more || !last) return { entries, revision };
      key = `${last.key}\0`;
    }
  }

  /** Reports changes from a revision on, until the stream ends or `signal` aborts. */
  async #follow(from: bigint, signal: AbortSignal): Promise<void> {
    const stream = await this.#connection.stream(WATCH);
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
    try {
      stream.write({
        create_request: {
          key: rangeStart(this.#prefix),
          range_end: rangeEnd(this.#prefix),
          start_revision: String(from),
          progress_notify: true,
          fragment: true,
        },
      });
      for await (const response of stream as AsyncIterable<WatchResponse>) this.#take(response);
      throw new UnavailableError('etcd: the watch has ended');
    } catch (error) {
      throw isServiceError(error) ? portErrorOf(error) : error;
    } finally {
      signal.removeEventListener('abort', cancel);
      stream.cancel();
    }
  }

  #take(response: WatchResponse): void {
    const { created, canceled, compact_revision, cancel_reason, events, fragment, header } =
      response;
    if (canceled) {
      if (compact_revision !== '0') throw new CompactedError('the watch was away for too long');
      if (/permission denied/.test(cancel_reason)) {
        throw new AccessDeniedError(`etcd: watching ${this.#prefix}: ${cancel_reason}`);
      }
      if (/auth token/.test(cancel_reason)) this.#connection.forgetToken();
      throw new UnavailableError(`etcd: the watch was cancelled: ${cancel_reason}`);
    }
    this.#pause = FIRST_PAUSE_MS;
    for (const { type, kv } of events) if (kv) this.#report(type, kv);
    const last = events.at(-1)?.kv?.mod_revision;
    // A response that says only that time has passed; but the one that opens a watch says less than that.
    const seen = last ?? (created ? undefined : header?.revision);
    if (seen !== undefined && !fragment) this.#from = BigInt(seen) + 1n;
  }

  #report(type: number, kv: KeyValue): void {
    const { key } = kv;
    const revision = kv.mod_revision as Revision;
    if (type === DELETE) {
      this.#known.delete(key);
      this.#push({ type: 'delete', key, revision });
    } else if (this.#known.get(key) !== revision) {
      this.#known.set(key, revision);
      this.#push({ type: 'put', entry: entryOf(kv) });
    }
  }
}

function entryOf({ key, value, mod_revision }: KeyValue): Entry {
  return { key, value, revision: mod_revision as Revision };
}
