import { ChangeQueue } from '../change-queue.ts';
import { checkTransaction } from '../check-transaction.ts';
import type {
  Change,
  Datastore,
  Entry,
  Lease,
  LeaseId,
  ListOptions,
  Page,
  Revision,
  Transaction,
} from '../datastore.ts';
import { UnavailableError } from '../errors.ts';
import { MemoryStore } from './memory-store.ts';

/**
 * A datastore in memory: for tests, and for a single process that keeps nothing. Answers at once and in
 * order; several of them on one {@link MemoryStore} are several clients of one server.
 */
export class MemoryDatastore implements Datastore {
  readonly isPrivate = true;
  readonly #store: MemoryStore;
  readonly #disposed = new AbortController();
  readonly #leases = new Map<
    LeaseId,
    { readonly lost: AbortController; readonly ttlSeconds: number }
  >();
  #isReachable = true;

  constructor(store = new MemoryStore()) {
    this.#store = store;
  }

  /** From now on every call fails, until the returned outage is disposed. Watches wait, then catch up. */
  outage(): Disposable {
    this.#isReachable = false;
    return {
      [Symbol.dispose]: () => {
        this.#isReachable = true;
      },
    };
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#reach();
    return this.#store.get(key);
  }

  async list(prefix: string, options?: ListOptions): Promise<Page> {
    this.#reach();
    return this.#store.list(prefix, options);
  }

  async transact(transaction: Transaction): Promise<Revision> {
    checkTransaction(transaction);
    this.#reach();
    return this.#store.transact(transaction);
  }

  async *watch(prefix: string, signal: AbortSignal, from?: Revision): AsyncGenerator<Change, void> {
    const queue = new ChangeQueue();
    const listed = { limit: Number.POSITIVE_INFINITY, ...(from && { revision: from }) };
    const { entries, revision } = this.#store.list(prefix, listed);
    using _subscription = this.#store.subscribe(prefix, (change) => queue.push(change));
    if (from === undefined) for (const entry of entries) queue.push({ type: 'put', entry });
    else queue.know(entries.map(({ key }) => key));
    queue.push({ type: 'synced', revision });
    if (from !== undefined) {
      for (const change of this.#store.changesSince(prefix, from)) queue.push(change);
    }
    yield* queue.drain(AbortSignal.any([signal, this.#disposed.signal]));
  }

  async compact(revision: Revision): Promise<void> {
    this.#reach();
    this.#store.compact(Number(revision));
  }

  async lease(ttlSeconds: number): Promise<Lease> {
    this.#reach();
    const id = this.#store.grantLease();
    const lost = new AbortController();
    this.#leases.set(id, { lost, ttlSeconds });
    return { id, lost: lost.signal, revoke: async () => this.expireLease(id) };
  }

  /** Ends a lease of this client as if it had not been kept alive. */
  expireLease(id: LeaseId): void {
    this.#store.endLease(id);
    this.#leases.get(id)?.lost.abort();
    this.#leases.delete(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    for (const [id, { lost, ttlSeconds }] of this.#leases) {
      lost.abort();
      setTimeout(() => this.#store.endLease(id), ttlSeconds * 1000).unref();
    }
    this.#leases.clear();
  }

  #reach(): void {
    if (this.#disposed.signal.aborted) throw new UnavailableError('this datastore was closed');
    if (!this.#isReachable) throw new UnavailableError('an outage is being played');
  }
}
