import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeQueue } from '../change-queue.ts';
import type { Revision } from '../datastore.ts';
import { AccessDeniedError, CompactedError, UnavailableError } from '../errors.ts';
import type { EtcdConnection } from './etcd-connection.ts';
import { entryOf } from './etcd-entry.ts';
import { isServiceError, naming, portErrorOf } from './etcd-error.ts';
import { isOtherHistory } from './history.ts';
import { rangeEnd, rangeStart } from './key-range.ts';
import { listAll } from './list-all.ts';
import { DELETE, type KeyValue, type ResponseHeader, type WatchResponse } from './messages.ts';
import { WATCH } from './methods.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

/** What is known of the range is of another history: a backup was restored, or it is another cluster. */
class OtherHistoryError extends Error {
  override readonly name = 'OtherHistoryError';
}

/** Watches one prefix until told to stop, whatever happens to connections and revisions meanwhile. */
export class EtcdWatch {
  readonly #connection: EtcdConnection;
  readonly #prefix: string;
  readonly #queue: ChangeQueue;
  /**
   * What the reader was told of, for the difference after a compaction; without a revision if the same number may have
   * meant something else.
   */
  readonly #known = new Map<string, Revision | undefined>();
  #isSynced = false;
  /** The first revision not seen yet; `undefined` if the prefix must be listed. */
  #next: bigint | undefined;
  /** As the last answer had it. */
  #header: ResponseHeader | undefined;
  #pause = FIRST_PAUSE_MS;

  constructor(connection: EtcdConnection, prefix: string, queue: ChangeQueue) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#queue = queue;
  }

  /**
   * @param from The reader knows what there was at this revision.
   * @throws {AccessDeniedError} If this client may not read the prefix.
   * @throws {CompactedError} If `from` is no longer kept, or was never reached.
   */
  async run(signal: AbortSignal, from?: Revision): Promise<void> {
    let began = from === undefined;
    while (!signal.aborted) {
      const started = performance.now();
      try {
        if (!began && from !== undefined) await this.#begin(from);
        began = true;
        this.#next ??= await this.#compare();
        if (signal.aborted) return;
        await this.#follow(this.#next, signal);
      } catch (error) {
        if (error instanceof OtherHistoryError) this.#distrust();
        else if (error instanceof CompactedError && began) this.#next = undefined;
        else if (!(error instanceof UnavailableError)) {
          throw naming(`watching ${this.#prefix}`, error);
        }
      }
      // One that held for a while, or told something, did not fail for the reason that the last one did.
      if (performance.now() - started > 2 * LONGEST_PAUSE_MS) this.#pause = FIRST_PAUSE_MS;
      if (signal.aborted) return;
      await sleep(this.#pause * (0.5 + Math.random()), undefined, { signal }).catch(
        () => undefined,
      );
      this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE_MS);
    }
  }

  /** Learns what the reader knows; without that, the difference after a compaction could not be told. */
  async #begin(from: Revision): Promise<void> {
    const options = { revision: from, keysOnly: true };
    const { kvs, header } = await listAll(this.#connection, this.#prefix, options);
    for (const { key, mod_revision } of kvs) this.#known.set(key, mod_revision as Revision);
    this.#queue.know(this.#known.keys());
    this.#queue.push({ type: 'synced', revision: from });
    this.#isSynced = true;
    this.#header = header;
    this.#next = BigInt(from) + 1n;
  }

  /** Lists everything and reports what differs from what is known. @returns The next revision to see. */
  async #compare(): Promise<bigint> {
    const { kvs, header } = await listAll(this.#connection, this.#prefix);
    if (isOtherHistory(this.#header, header)) this.#distrust();
    const revision = header.revision as Revision;
    const gone = new Set(this.#known.keys());
    for (const kv of kvs) {
      const entry = entryOf(kv);
      gone.delete(entry.key);
      if (this.#known.get(entry.key) !== entry.revision) this.#queue.push({ type: 'put', entry });
      this.#known.set(entry.key, entry.revision);
    }
    for (const key of gone) {
      this.#known.delete(key);
      this.#queue.push({ type: 'delete', key, revision });
    }
    if (!this.#isSynced) this.#queue.push({ type: 'synced', revision });
    this.#isSynced = true;
    this.#header = header;
    return BigInt(revision) + 1n;
  }

  /** Everything must be listed and reported anew: equal revisions may stand for different values. */
  #distrust(): void {
    this.#next = undefined;
    this.#header = undefined;
    for (const key of this.#known.keys()) this.#known.set(key, undefined);
  }

  /** Reports changes from a revision on, until the stream ends or `signal` aborts. */
  async #follow(next: bigint, signal: AbortSignal): Promise<void> {
    const stream = await this.#connection.stream(WATCH);
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
    try {
      stream.write({
        create_request: {
          key: rangeStart(this.#prefix),
          range_end: rangeEnd(this.#prefix),
          start_revision: String(next),
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
        throw new AccessDeniedError('etcd: permission denied');
      }
      if (/auth token/.test(cancel_reason)) this.#connection.forgetToken();
      throw new UnavailableError(`etcd: the watch was cancelled: ${cancel_reason}`);
    }
    if (created) {
      // etcd itself would wait, without a word, until a revision of the future comes.
      if (header && isOtherHistory(this.#header, header)) throw new OtherHistoryError();
      return;
    }
    for (const { type, kv } of events) if (kv) this.#report(type, kv);
    if (events.length > 0) this.#pause = FIRST_PAUSE_MS;
    // One without events says that time has passed.
    const seen = events.at(-1)?.kv?.mod_revision ?? header?.revision;
    if (seen === undefined || fragment) return;
    this.#next = BigInt(seen) + 1n;
    if (header) this.#header = { ...header, revision: seen };
  }

  #report(type: number, kv: KeyValue): void {
    const { key } = kv;
    const revision = kv.mod_revision as Revision;
    if (type === DELETE) {
      this.#known.delete(key);
      this.#queue.push({ type: 'delete', key, revision });
    } else if (this.#known.get(key) !== revision) {
      this.#known.set(key, revision);
      this.#queue.push({ type: 'put', entry: entryOf(kv) });
    }
  }
}
