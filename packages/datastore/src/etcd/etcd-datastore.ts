import { ChangeQueue } from '../change-queue.ts';
import { checkTransaction } from '../check-transaction.ts';
import type {
  Change,
  Condition,
  Datastore,
  Entry,
  Lease,
  ListOptions,
  Operation,
  Page,
  Revision,
  Transaction,
} from '../datastore.ts';
import { ConflictError } from '../errors.ts';
import { EtcdConnection } from './etcd-connection.ts';
import { entryOf } from './etcd-entry.ts';
import { saysCompacted } from './etcd-error.ts';
import { EtcdLease } from './etcd-lease.ts';
import { type EtcdOptions, parseEndpoints } from './etcd-options.ts';
import { EtcdWatch } from './etcd-watch.ts';
import { rangeEnd, rangeStart } from './key-range.ts';
import { EQUAL, GREATER, MOD, type TxnResponse, VERSION } from './messages.ts';
import { COMPACT, RANGE, TXN } from './methods.ts';

const DEFAULT_LIMIT = 1000;

/** A datastore in etcd, version 3.4 or later. */
export class EtcdDatastore implements Datastore {
  readonly isPrivate: boolean;
  readonly #connection: EtcdConnection;
  readonly #disposed = new AbortController();
  readonly #leases = new Set<EtcdLease>();

  /** Connects with the first call. @throws {RangeError} If the options make no sense. */
  constructor(options: EtcdOptions) {
    this.#connection = new EtcdConnection(options);
    const { endpoints = [] } = options;
    this.isPrivate = endpoints.length > 0 && parseEndpoints(endpoints).every(({ isTls }) => isTls);
  }

  async get(key: string): Promise<Entry | undefined> {
    const { kvs } = await this.#connection.call(RANGE, { key });
    return kvs[0] && entryOf(kvs[0]);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Page> {
    const { limit = DEFAULT_LIMIT, after = '', revision } = options;
    const { header, kvs, more } = await this.#connection.call(RANGE, {
      key: after >= prefix && after !== '' ? `${after}\0` : rangeStart(prefix),
      range_end: rangeEnd(prefix),
      limit: String(limit),
      revision,
    });
    const entries = kvs.map(entryOf);
    const next = more ? entries.at(-1)?.key : undefined;
    return { entries, revision: revision ?? revisionOf(header), next };
  }

  async transact(transaction: Transaction): Promise<Revision> {
    checkTransaction(transaction);
    const { conditions, operations } = transaction;
    const keys = [...new Set(conditions.map(({ key }) => key))];
    const { header, succeeded, responses } = await this.#connection.call(TXN, {
      compare: conditions.map(compareOf),
      success: operations.map(requestOf),
      failure: keys.map((key) => ({ request_range: { key } })),
    });
    if (!succeeded) throw conflictOf(conditions, keys, responses);
    return revisionOf(header);
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

function compareOf(condition: Condition) {
  const { key } = condition;
  switch (condition.type) {
    case 'absent':
      return { key, result: EQUAL, target: VERSION, version: '0' };
    case 'present':
      return { key, result: GREATER, target: VERSION, version: '0' };
    case 'revision':
      return { key, result: EQUAL, target: MOD, mod_revision: condition.revision };
  }
}

function requestOf(operation: Operation) {
  const { key } = operation;
  if (operation.type === 'delete') return { request_delete_range: { key } };
  return { request_put: { key, value: operation.value, lease: operation.lease } };
}

/** Which condition does not hold, by what the same transaction has read. */
function conflictOf(
  conditions: readonly Condition[],
  keys: readonly string[],
  responses: TxnResponse['responses'],
): ConflictError {
  const found = new Map(keys.map((key, i) => [key, responses[i]?.response_range?.kvs[0]] as const));
  const broken = conditions.find((condition) => {
    const kv = found.get(condition.key);
    if (condition.type === 'revision') return kv?.mod_revision !== condition.revision;
    return (condition.type === 'present') !== (kv !== undefined);
  });
  const key = broken?.key ?? '';
  const kv = found.get(key);
  return new ConflictError(key, kv && entryOf(kv));
}
