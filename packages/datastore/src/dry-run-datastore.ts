import { checkTransaction } from './check-transaction.ts';
import type {
  Change,
  Condition,
  Datastore,
  Entry,
  Lease,
  ListOptions,
  Page,
  Revision,
  Transaction,
} from './datastore.ts';
import { ConflictError } from './errors.ts';

/**
 * A datastore on which nothing is written: what would have been is kept in memory and seen by later calls, so a
 * sequence of changes fails where it would fail. Watches see the datastore alone.
 */
export class DryRunDatastore implements Datastore {
  readonly #store: Datastore;
  /** What would be there; `undefined` if it would be gone. */
  readonly #written = new Map<string, Entry | undefined>();
  #transactions = 0;

  constructor(store: Datastore) {
    this.#store = store;
  }

  get isPrivate(): boolean {
    return this.#store.isPrivate;
  }

  async get(key: string): Promise<Entry | undefined> {
    return this.#written.has(key) ? this.#written.get(key) : this.#store.get(key);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Page> {
    const page = await this.#store.list(prefix, options);
    const { after = '' } = options;
    const isIn = (key: string): boolean =>
      key.startsWith(prefix) && key > after && (page.next === undefined || key <= page.next);
    const kept = page.entries.filter(({ key }) => !this.#written.has(key));
    const added = [...this.#written.values()].filter(
      (entry): entry is Entry => entry !== undefined && isIn(entry.key),
    );
    const entries = [...kept, ...added].toSorted((a, b) => (a.key < b.key ? -1 : 1));
    return { ...page, entries };
  }

  async transact(transaction: Transaction): Promise<Revision> {
    checkTransaction(transaction);
    const { conditions, operations } = transaction;
    for (const condition of conditions) this.#check(condition);
    const elsewhere = conditions.filter(({ key }) => !this.#written.has(key));
    if (elsewhere.length > 0) await this.#store.transact({ conditions: elsewhere, operations: [] });
    const revision = `dry-run-${++this.#transactions}` as Revision;
    for (const operation of operations) {
      const { key } = operation;
      const entry =
        operation.type === 'put' ? { key, value: operation.value, revision } : undefined;
      this.#written.set(key, entry);
    }
    return revision;
  }

  watch(...args: Parameters<Datastore['watch']>): AsyncIterable<Change> {
    return this.#store.watch(...args);
  }

  async lease(): Promise<Lease> {
    throw new Error('a dry run grants no leases');
  }

  async compact(): Promise<void> {}

  /** The datastore itself stays open: it is its owner's. */
  async [Symbol.asyncDispose](): Promise<void> {}

  /** A condition on what would have been written. */
  #check(condition: Condition): void {
    const { key } = condition;
    if (!this.#written.has(key)) return;
    const entry = this.#written.get(key);
    const holds =
      condition.type === 'revision'
        ? entry?.revision === condition.revision
        : (condition.type === 'present') === (entry !== undefined);
    if (!holds) throw new ConflictError(key, entry);
  }
}
