import { ChangeQueue } from '../change-queue.ts';
import { checkTransaction } from '../check-transaction.ts';
import type {
  Change,
  Datastore,
  Entry,
  Lease,
  ListOptions,
  Page,
  Revision,
  Transaction,
} from '../datastore.ts';
import { EtcdConnection } from './etcd-connection.ts';
import { entryOf } from './etcd-entry.ts';
import { naming, saysCompacted } from './etcd-error.ts';
import { EtcdLease } from './etcd-lease.ts';
import { type EtcdOptions, parseEndpoints } from './etcd-options.ts';
import { EtcdWatch } from './etcd-watch.ts';
import { rangeEnd, rangeStart } from './key-range.ts';
import { COMPACT, RANGE } from './methods.ts';
import { TransactionBatcher } from './transaction-batcher.ts';

const DEFAULT_LIMIT = 1000;

/** A datastore in etcd, version 3.4 or later. */
export class EtcdDatastore implements Datastore {
  readonly isPrivate: boolean;
  readonly #connection: EtcdConnection;
  readonly #transactions: TransactionBatcher;
  readonly #disposed = new AbortController();
  readonly #leases = new Set<EtcdLease>();

  /** Connects with the first call. @throws {RangeError} If the options make no sense. */
  constructor(options: EtcdOptions) {
    this.#connection = new EtcdConnection(options);
    const isOpenToAll =
      options.username === undefined && (options.cert ?? options.certFile) === undefined;
    this.#transactions = new TransactionBatcher(this.#connection, isOpenToAll);
    const { endpoints = [] } = options;
    this.isPrivate = endpoints.length > 0 && parseEndpoints(endpoints).every(({ isTls }) => isTls);
  }

  async get(key: string): Promise<Entry | undefined> {
    const { kvs } = await named(`reading ${key}`, this.#connection.call(RANGE, { key }));
    return kvs[0] && entryOf(kvs[0]);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Page> {
    const { limit = DEFAULT_LIMIT, after = '', revision } = options;
    const range = {
      key: after >= prefix && after !== '' ? `${after}\0` : rangeStart(prefix),
      range_end: rangeEnd(prefix),
      limit: String(limit),
      revision,
    };
    const call = this.#connection.call(RANGE, range);
    const { header, kvs, more } = await named(`listing ${prefix}`, call);
    const entries = kvs.map(entryOf);
    const next = more ? entries.at(-1)?.key : undefined;
    return { entries, revision: revision ?? revisionOf(header), next };
  }

  async transact(transaction: Transaction): Promise<Revision> {
    checkTransaction(transaction);
    const { conditions, operations } = transaction;
    // etcd does not say which of the keys it is.
    const [first = '', ...more] = new Set([...operations, ...conditions].map(({ key }) => key));
    const what = `writing ${first}${more.length > 0 ? `, or one of ${more.length} more keys` : ''}`;
    return await named(what, this.#transactions.transact(transaction));
  }

  async *watch(prefix: string, signal: AbortSignal, from?: Revision): AsyncGenerator<Change, void> {
    const stop = new AbortController();
    const ended = AbortSignal.any([signal, this.#disposed.signal, stop.signal]);
    const queue = new ChangeQueue();
    new EtcdWatch(this.#connection, prefix, queue).run(ended, from).then(
      () => queue.end(),
      (error: unknown) => queue.end(error),
    );
    try {
      yield* queue.drain(ended);
    } finally {
      stop.abort();
    }
  }

  async lease(ttlSeconds: number): Promise<Lease> {
    const lease = await EtcdLease.grant(this.#connection, ttlSeconds);
    this.#leases.add(lease);
    lease.lost.addEventListener('abort', () => this.#leases.delete(lease));
    return lease;
  }

  async compact(revision: Revision): Promise<void> {
    try {
      await this.#connection.call(COMPACT, { revision });
    } catch (error) {
      if (!saysCompacted(error)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    for (const lease of this.#leases) lease.abandon();
    this.#connection[Symbol.dispose]();
  }
}

function revisionOf(header: { readonly revision: string } | undefined): Revision {
  return (header?.revision ?? '0') as Revision;
}

/** Rejects as `call` does; a refusal says what it refuses. */
async function named<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw naming(what, error);
  }
}
