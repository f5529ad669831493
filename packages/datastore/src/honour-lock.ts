import { CLUSTER_INFORMATION_KEY } from '@overland/model';
import type { Datastore, Entry, Revision, Transaction } from './datastore.ts';
import { ConflictError, LockedError, UnusableError } from './errors.ts';
import { isLocked, unchanged } from './transfer/lock.ts';

/** How often a write begins again because the ClusterInformation has just been changed. */
const MAX_ATTEMPTS = 10;

/**
 * `store`, but while it is locked every write is refused with `LockedError`; reads, watches and leases go on. The lock
 * is a condition of each transaction: whoever has locked the datastore knows that nothing is written afterwards,
 * not even what was under way. It is one of the conditions that a transaction may have.
 */
export function honourLock(store: Datastore): Datastore {
  const lock = new LockCondition(store);
  return {
    isPrivate: store.isPrivate,
    get: (key) => store.get(key),
    list: (prefix, options) => store.list(prefix, options),
    transact: (transaction) => lock.transact(transaction),
    watch: (prefix, signal, from) => store.watch(prefix, signal, from),
    lease: (ttlSeconds) => store.lease(ttlSeconds),
    compact: (revision) => store.compact(revision),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

class LockCondition {
  readonly #store: Datastore;
  /** The ClusterInformation as last seen. Stale at worst: it is compared with every write. */
  #seen: { readonly entry: Entry | undefined } | undefined;

  constructor(store: Datastore) {
    this.#store = store;
  }

  async transact(transaction: Transaction): Promise<Revision> {
    const { operations, conditions } = transaction;
    if (operations.length === 0) return await this.#store.transact(transaction);
    for (let attempt = 1; ; attempt++) {
      const { entry } = await this.#unlocked();
      const condition = unchanged(CLUSTER_INFORMATION_KEY, entry);
      try {
        return await this.#store.transact({ operations, conditions: [condition, ...conditions] });
      } catch (error) {
        if (!(error instanceof ConflictError) || error.key !== CLUSTER_INFORMATION_KEY) throw error;
        // As it was seen: it is the caller's own condition that does not hold.
        if (error.actual?.revision === entry?.revision || attempt === MAX_ATTEMPTS) throw error;
        this.#seen = { entry: error.actual };
      }
    }
  }

  /** @throws {LockedError} If it is locked, read anew. */
  async #unlocked(): Promise<{ readonly entry: Entry | undefined }> {
    let seen = this.#seen;
    if (!seen || lockOf(seen.entry))
      seen = { entry: await this.#store.get(CLUSTER_INFORMATION_KEY) };
    this.#seen = seen;
    const lock = lockOf(seen.entry);
    if (lock !== undefined) throw new LockedError(lock);
    return seen;
  }
}

/** Why nothing may be written; `undefined` if it may. What cannot be read may be a lock. */
function lockOf(entry: Entry | undefined): string | undefined {
  try {
    if (!isLocked(entry?.value)) return undefined;
    return "the datastore is locked (ClusterInformation default: datastoreReady is false); 'overland datastore unlock' ends that";
  } catch (error) {
    if (error instanceof UnusableError) return error.message;
    throw error;
  }
}
