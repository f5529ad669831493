import { type ServiceError, status } from '@grpc/grpc-js';
import type { Operation, Revision, Transaction } from '../datastore.ts';
import { UnavailableError } from '../errors.ts';
import type { EtcdConnection } from './etcd-connection.ts';
import { TXN, TXN_BATCH } from './methods.ts';
import { outcomeOf, requestOf } from './txn.ts';

/**
 * Requests under way before further transactions wait to share one. One is best by far, also for a disk that is slow:
 * for each request with a condition etcd 3.4 copies all that it has not committed yet (decision 0091).
 */
const SHARED_REQUESTS = 1;
/** Most requests under way when transactions cannot share them. */
const MAX_REQUESTS = 16;
/** etcd counts nested operations by level, so 64 transactions leave 64 operations for each. */
const MAX_BATCH = 64;
const MAX_BATCH_OPERATIONS = 64;
const MAX_BATCH_CHARACTERS = 256 * 1024;

interface Waiting {
  readonly transaction: Transaction;
  /** By `performance.now()`. */
  readonly deadline: number;
  readonly resolve: (revision: Revision) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends transactions to etcd. When many are under way, those that wait go together, each as a transaction nested in
 * one: one request, one entry of the log and one sync of the disk for all, while each succeeds or fails by itself.
 */
export class TransactionBatcher {
  readonly #connection: EtcdConnection;
  readonly #mayBatch: boolean;
  readonly #waiting: Waiting[] = [];
  #underWay = 0;
  #isFlushing = false;

  /** @param mayBatch Not where etcd checks permissions: some versions do not look into nested transactions. */
  constructor(connection: EtcdConnection, mayBatch: boolean) {
    this.#connection = connection;
    this.#mayBatch = mayBatch;
  }

  /** As `Datastore.transact`, of a transaction that was checked. */
  async transact(transaction: Transaction): Promise<Revision> {
    if (!this.#mayBatch || !canShare(transaction)) {
      return await this.#counted(() => this.#send(transaction));
    }
    const deadline = performance.now() + this.#connection.deadlineMs;
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ transaction, deadline, resolve, reject });
      this.#flushSoon();
    });
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await work();
    } finally {
      this.#underWay--;
      this.#flushSoon();
    }
  }

  /** When all that is ready to run has run: whoever has just got an answer may have the next transaction. */
  #flushSoon(): void {
    if (this.#isFlushing || this.#waiting.length === 0) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  async #send(transaction: Transaction, timeMs?: number): Promise<Revision> {
    const { header, ...response } = await this.#connection.call(
      TXN,
      requestOf(transaction),
      timeMs,
    );
    return outcomeOf(transaction, response, header?.revision);
  }

  #flush(): void {
    for (let most = SHARED_REQUESTS; this.#underWay < most; most = MAX_REQUESTS) {
      const batch = takeBatch(this.#waiting);
      if (batch.length === 0) return;
      this.#counted(() => this.#sendBatch(batch)).catch((error: unknown) => {
        for (const { reject } of batch) reject(error);
      });
      // What is left could not share it: it need not wait for it either.
    }
  }

  async #sendBatch(batch: readonly Waiting[]): Promise<void> {
    const timeMs = Math.max(
      1,
      Math.min(...batch.map(({ deadline }) => deadline)) - performance.now(),
    );
    const [only] = batch;
    if (only && batch.length === 1) {
      await this.#send(only.transaction, timeMs).then(only.resolve, only.reject);
      return;
    }
    const success = batch.map(({ transaction }) => ({ request_txn: requestOf(transaction) }));
    try {
      const { header, responses } = await this.#connection.call(TXN_BATCH, { success }, timeMs);
      for (const [i, { transaction, resolve, reject }] of batch.entries()) {
        try {
          const response = responses[i]?.response_txn;
          if (!response) throw new UnavailableError('etcd: a transaction got no answer');
          resolve(outcomeOf(transaction, response, header?.revision));
        } catch (error) {
          reject(error);
        }
      }
    } catch (error) {
      // One of them may be at fault: each is told about itself.
      if (!wasRefused(error)) throw error;
      for (const { transaction, resolve, reject } of batch) {
        this.#counted(() => this.#send(transaction)).then(resolve, reject);
      }
    }
  }
}

/** Takes from the front what may go together: etcd looks at all conditions first, and takes a key once. */
function takeBatch(waiting: Waiting[]): Waiting[] {
  const written = new Set<string>();
  const compared = new Set<string>();
  let characters = 0;
  let count = 0;
  for (const { transaction } of waiting) {
    const { conditions, operations } = transaction;
    characters += operations.reduce((sum, operation) => sum + sizeOf(operation), 0);
    const clashes =
      operations.some(({ key }) => written.has(key) || compared.has(key)) ||
      conditions.some(({ key }) => written.has(key));
    if (count > 0 && (clashes || characters > MAX_BATCH_CHARACTERS)) break;
    for (const { key } of operations) written.add(key);
    for (const { key } of conditions) compared.add(key);
    if (++count === MAX_BATCH) break;
  }
  return waiting.splice(0, count);
}

/** A lease that has ended would take the others along. */
function canShare({ conditions, operations }: Transaction): boolean {
  return (
    conditions.length <= MAX_BATCH_OPERATIONS &&
    operations.length <= MAX_BATCH_OPERATIONS &&
    operations.every((operation) => operation.type === 'delete' || operation.lease === undefined)
  );
}

function sizeOf(operation: Operation): number {
  return operation.key.length + (operation.type === 'put' ? operation.value.length : 0);
}

/** Whether etcd has looked at the request and not carried it out. */
function wasRefused(error: unknown): boolean {
  const { code } = (error instanceof Error ? error.cause : {}) as Partial<ServiceError>;
  return (
    code !== undefined &&
    code !== status.UNAVAILABLE &&
    code !== status.DEADLINE_EXCEEDED &&
    code !== status.CANCELLED &&
    code !== status.UNKNOWN
  );
}
