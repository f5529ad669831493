import type { LeaseId, Page, Transaction } from '../datastore.ts';
import { UnavailableError } from '../errors.ts';
import { ChangeSignal } from './change-signal.ts';
import { type Connection, openConnection, wasReplaced } from './connection.ts';
import { failureOf } from './failure.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { passingReason } from './passing-error.ts';
import { persist } from './persist.ts';
import type { Call, FromWorker, ToWorker, WorkerOptions } from './protocol.ts';
import { SqliteEngine } from './sqlite-engine.ts';
import { WatchedRange } from './watched-range.ts';
import { WriteQueue } from './write-queue.ts';

const DEFAULT_LIMIT = 1000;
/** How often it is checked that the file is still the one under its name. */
const REPLACED_CHECK_MS = 1000;

/** Answers a {@link SqliteDatastore}: the half that waits for the disk, in a thread of its own. */
export class SqliteServer implements Disposable {
  readonly #options: WorkerOptions;
  readonly #post: (message: FromWorker) => void;
  readonly #writes: WriteQueue;
  readonly #leases: LeaseKeeper;
  readonly #signal: ChangeSignal;
  readonly #watches = new Map<number, WatchedRange>();
  #open: (Connection & { readonly engine: SqliteEngine }) | undefined;
  #dataVersion = -1;
  #replacedCheckAt = 0;
  /** A read has failed: what changed may still be unread although the data version is the same. */
  #hasUnread = false;
  #isDisposed = false;
  /** Of the file that was open last. Once it was there, its absence is an outage: an empty one in its place would say that nothing is wanted. */
  #inode: number | undefined;

  constructor(options: WorkerOptions, post: (message: FromWorker) => void) {
    this.#options = options;
    this.#post = post;
    this.#writes = new WriteQueue((transactions, deadline) => this.#commit(transactions, deadline));
    this.#leases = new LeaseKeeper(
      (work, deadline) => this.#persist(work, deadline),
      (lease) => this.#post({ type: 'lost', lease }),
    );
    this.#openIfPossible();
    this.#signal = new ChangeSignal(options.path, () => this.#look());
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case 'call':
        void this.#answer(message);
        break;
      case 'watch':
        this.#watches.set(message.id, new WatchedRange(message.prefix, message.from));
        this.#feed(message.id);
        break;
      case 'acknowledge': {
        const watched = this.#watches.get(message.id);
        if (watched) watched.isWaiting = false;
        this.#feed(message.id);
        break;
      }
      case 'unwatch':
        this.#watches.delete(message.id);
        break;
      case 'close':
        this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#signal[Symbol.dispose]();
    this.#leases[Symbol.dispose]();
    this.#close();
  }

  async #answer(call: Call): Promise<void> {
    const { id } = call;
    try {
      this.#post({ type: 'answer', id, value: await this.#perform(call) });
    } catch (error) {
      this.#post({ type: 'failure', id, failure: failureOf(error) });
    }
  }

  #perform(call: Call): Promise<unknown> {
    const deadline = performance.now() + this.#options.deadlineMs;
    switch (call.name) {
      case 'open':
        return this.#persist(() => undefined, deadline);
      case 'get':
        return this.#persist((engine) => engine.get(call.arguments.key), deadline);
      case 'list': {
        const { prefix, options } = call.arguments;
        const { limit = DEFAULT_LIMIT, after = '', revision } = options;
        const at = revision === undefined ? undefined : Number(revision);
        return this.#persist((engine): Page => engine.list(prefix, limit, after, at), deadline);
      }
      case 'transact':
        return this.#writes.add(call.arguments.transaction, deadline);
      case 'compact': {
        const revision = Number(call.arguments.revision);
        return this.#persist((engine) => engine.compact(revision), deadline);
      }
      case 'grant':
        return this.#leases.grant(call.arguments.ttlMs, deadline);
      case 'revoke':
        return this.#revoke(call.arguments.lease, deadline);
    }
  }

  async #revoke(lease: LeaseId, deadline: number): Promise<void> {
    await this.#leases.revoke(lease, deadline);
    this.#feedAll();
  }

  async #commit(transactions: readonly Transaction[], deadline: number) {
    const outcomes = await this.#persist((engine) => engine.transact(transactions), deadline);
    // After the answers: whoever wrote should hear first that it is written.
    setImmediate(() => this.#feedAll());
    return outcomes;
  }

  #persist<T>(work: (engine: SqliteEngine) => T, deadline: number): Promise<T> {
    return persist(() => this.#attempt(work), deadline);
  }

  /** Works on the open database, opening it first if it is not. */
  #attempt<T>(work: (engine: SqliteEngine) => T): T {
    if (this.#isDisposed) throw new UnavailableError('this datastore was closed');
    try {
      if (!this.#open) {
        const connection = openConnection(this.#options.path, this.#inode === undefined);
        const isSameFile = connection.inode === this.#inode;
        this.#inode = connection.inode;
        this.#open = { ...connection, engine: new SqliteEngine(connection.database) };
        for (const watched of this.#watches.values()) watched.restart(isSameFile);
        this.#hasUnread = true;
      }
      return work(this.#open.engine);
    } catch (error) {
      // Any handle is suspect after a failure of the disk.
      if (this.#open && passingReason(error)?.includes('disk fails')) this.#close();
      throw error;
    }
  }

  #openIfPossible(): void {
    try {
      this.#attempt(() => undefined);
    } catch {
      // The first call that needs it says what is wrong.
    }
  }

  #close(): void {
    this.#open?.database.close();
    this.#open = undefined;
  }

  /** Looks for changes of other processes. @returns Whether there may be some. */
  #look(): boolean {
    this.#checkReplaced();
    if (this.#watches.size === 0) return true;
    try {
      const version = this.#attempt((engine) => engine.dataVersion());
      const isOld = version === this.#dataVersion;
      this.#dataVersion = version;
      if (isOld && !this.#hasUnread) return false;
    } catch {
      this.#hasUnread = true; // busy or away: the next look finds out
      return false;
    }
    this.#feedAll();
    return true;
  }

  #checkReplaced(): void {
    const now = performance.now();
    if (now - this.#replacedCheckAt < REPLACED_CHECK_MS) return;
    this.#replacedCheckAt = now;
    if (this.#open && wasReplaced(this.#options.path, this.#open)) this.#close();
  }

  #feedAll(): void {
    this.#hasUnread = false;
    for (const id of this.#watches.keys()) this.#feed(id);
  }

  #feed(id: number): void {
    const watched = this.#watches.get(id);
    if (!watched || watched.isWaiting) return;
    try {
      const known = this.#attempt((engine) => watched.begin(engine));
      if (known) this.#post({ type: 'known', id, ...known });
      const changes = this.#attempt((engine) => watched.read(engine));
      if (changes.length === 0) return;
      watched.isWaiting = true;
      this.#post({ type: 'changes', id, changes });
    } catch (error) {
      this.#hasUnread = true;
      if (passingReason(error) !== undefined) return;
      this.#watches.delete(id);
      this.#post({ type: 'broken', id, failure: failureOf(error) });
    }
  }
}
