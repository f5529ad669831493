import type {
  Change,
  Condition,
  Entry,
  LeaseId,
  ListOptions,
  Page,
  Revision,
  Transaction,
} from '../datastore.ts';
import { CompactedError, ConflictError, LeaseError } from '../errors.ts';

/** One key's change, with what was there before. */
interface LogItem {
  readonly revision: number;
  readonly key: string;
  readonly before: Entry | undefined;
}

const DEFAULT_LIMIT = 1000;
const LOG_LENGTH = 10_000;

/** The state that several memory datastores share: what a server would hold. Does nothing by itself. */
export class MemoryStore {
  readonly #entries = new Map<string, Entry>();
  /** All keys in order. */
  readonly #keys: string[] = [];
  readonly #leases = new Map<LeaseId, Set<string>>();
  readonly #leaseOf = new Map<string, LeaseId>();
  readonly #watchers = new Set<{ readonly prefix: string; readonly notify: (c: Change) => void }>();
  #log: LogItem[] = [];
  #compacted = 0;
  #revision = 1;
  #nextLease = 1;

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  list(prefix: string, { limit = DEFAULT_LIMIT, after = '', revision }: ListOptions = {}): Page {
    const as = revision === undefined ? this.#revision : Number(revision);
    if (as < this.#compacted) throw new CompactedError(`revision ${as} is no longer kept`);
    if (!(as <= this.#revision)) throw new CompactedError(`revision ${revision} was never reached`);
    const past = this.#changedSince(as, prefix);
    const keys =
      past.size === 0 ? this.#keys : [...new Set([...this.#keys, ...past.keys()])].toSorted();
    const entries: Entry[] = [];
    let next: string | undefined;
    for (let i = lowerBound(keys, prefix); i < keys.length; i++) {
      const key = keys[i] ?? '';
      if (!key.startsWith(prefix)) break;
      if (key <= after) continue;
      const entry = past.has(key) ? past.get(key) : this.#entries.get(key);
      if (!entry) continue;
      if (entries.length === limit) {
        next = entries.at(-1)?.key;
        break;
      }
      entries.push(entry);
    }
    return { entries, revision: String(as) as Revision, next };
  }

  transact({ conditions, operations }: Transaction): Revision {
    for (const condition of conditions) {
      const entry = this.#entries.get(condition.key);
      if (!holds(condition, entry)) throw new ConflictError(condition.key, entry);
    }
    const effective = operations.filter((op) => op.type === 'put' || this.#entries.has(op.key));
    if (effective.length === 0) return this.#current();
    for (const operation of effective) {
      if (operation.type === 'put' && operation.lease && !this.#leases.has(operation.lease)) {
        throw new LeaseError(`lease ${operation.lease} has ended`);
      }
    }
    this.#revision++;
    const revision = this.#current();
    const changes = effective.map((operation): Change => {
      const { key } = operation;
      this.#log.push({ revision: this.#revision, key, before: this.#entries.get(key) });
      this.#setLease(key, operation.type === 'put' ? operation.lease : undefined);
      if (operation.type === 'delete') {
        this.#entries.delete(key);
        this.#keys.splice(lowerBound(this.#keys, key), 1);
        return { type: 'delete', key, revision };
      }
      if (!this.#entries.has(key)) this.#keys.splice(lowerBound(this.#keys, key), 0, key);
      const entry = { key, value: operation.value, revision };
      this.#entries.set(key, entry);
      return { type: 'put', entry };
    });
    if (this.#log.length > 2 * LOG_LENGTH) this.compact(this.#log.at(-LOG_LENGTH)?.revision);
    this.#publish(changes);
    return revision;
  }

  /** The last change of every key under `prefix` that was changed after a revision, in commit order. */
  changesSince(prefix: string, revision: Revision): Change[] {
    const last = new Map<string, Change>();
    for (const item of this.#log) {
      const { key } = item;
      if (item.revision <= Number(revision) || !key.startsWith(prefix)) continue;
      const entry = this.#entries.get(key);
      last.delete(key);
      if (entry) last.set(key, { type: 'put', entry });
      else last.set(key, { type: 'delete', key, revision: String(item.revision) as Revision });
    }
    return [...last.values()];
  }

  /** Calls `notify` for every later change under `prefix`, until disposed. */
  subscribe(prefix: string, notify: (change: Change) => void): Disposable {
    const watcher = { prefix, notify };
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  /**
   * Forgets what was before a revision, by default before the current one.
   *
   * @throws {CompactedError} If it was never reached.
   */
  compact(before = this.#revision): void {
    if (!(before <= this.#revision))
      throw new CompactedError(`revision ${before} was never reached`);
    if (before <= this.#compacted) return;
    this.#log = this.#log.filter(({ revision }) => revision > before);
    this.#compacted = before;
  }

  grantLease(): LeaseId {
    const id = String(this.#nextLease++) as LeaseId;
    this.#leases.set(id, new Set());
    return id;
  }

  /** Ends a lease and deletes its keys. Ending it twice is no mistake. */
  endLease(id: LeaseId): void {
    const keys = this.#leases.get(id) ?? [];
    this.#leases.delete(id);
    this.transact({
      conditions: [],
      operations: [...keys].map((key) => ({ type: 'delete', key })),
    });
  }

  #current(): Revision {
    return String(this.#revision) as Revision;
  }

  /** Keys under `prefix` that changed after a revision, with what they held then. */
  #changedSince(revision: number, prefix: string): Map<string, Entry | undefined> {
    const past = new Map<string, Entry | undefined>();
    for (let i = this.#log.length - 1; i >= 0; i--) {
      const item = this.#log[i];
      if (!item || item.revision <= revision) break;
      if (item.key.startsWith(prefix)) past.set(item.key, item.before);
    }
    return past;
  }

  #setLease(key: string, lease: LeaseId | undefined): void {
    const old = this.#leaseOf.get(key);
    if (old) this.#leases.get(old)?.delete(key);
    this.#leaseOf.delete(key);
    if (!lease) return;
    this.#leases.get(lease)?.add(key);
    this.#leaseOf.set(key, lease);
  }

  #publish(changes: readonly Change[]): void {
    for (const { prefix, notify } of [...this.#watchers]) {
      for (const change of changes) {
        if (keyOf(change).startsWith(prefix)) notify(change);
      }
    }
  }
}

function keyOf(change: Change): string {
  if (change.type === 'put') return change.entry.key;
  return change.type === 'delete' ? change.key : '';
}

function holds(condition: Condition, entry: Entry | undefined): boolean {
  switch (condition.type) {
    case 'absent':
      return entry === undefined;
    case 'present':
      return entry !== undefined;
    case 'revision':
      return entry?.revision === condition.revision;
  }
}

/** Where `key` is, or belongs, in `keys`. */
function lowerBound(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
