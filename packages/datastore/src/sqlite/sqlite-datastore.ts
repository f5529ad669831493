import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
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
import { errorOf } from './failure.ts';
import type { CallName, Calls, FromWorker, ToWorker, WorkerOptions } from './protocol.ts';

/** How much longer than the worker's own deadline an answer may take: the thread may be stuck in the disk. */
const MARGIN_MS = 1000;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * A datastore in one SQLite file, which several processes of one machine may share. All work on the file is
 * done in a worker thread, because `node:sqlite` blocks.
 */
export class SqliteDatastore implements Datastore {
  readonly isPrivate = true;
  readonly #worker: Worker;
  readonly #deadlineMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #queues = new Map<number, ChangeQueue>();
  readonly #leases = new Map<LeaseId, AbortController>();
  #nextId = 0;
  #ended: Error | undefined;

  private constructor(options: WorkerOptions) {
    this.#deadlineMs = options.deadlineMs;
    const isSource = import.meta.url.endsWith('.ts');
    this.#worker = new Worker(
      new URL(isSource ? './sqlite-worker.ts' : './sqlite-worker.js', import.meta.url),
      { workerData: options, ...(isSource && { execArgv: ['--conditions=@overland/source'] }) },
    );
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new UnavailableError('this datastore was closed')));
  }

  /**
   * Opens the file, making it if it is not there. A file that cannot be used just now is no error: the calls
   * will say so.
   *
   * @throws {UnusableError} If it is not ours, of a newer version, or damaged.
   */
  static async open(options: WorkerOptions): Promise<SqliteDatastore> {
    const store = new SqliteDatastore(options);
    try {
      await store.#call('open', {});
    } catch (error) {
      if (error instanceof UnavailableError) return store;
      await store[Symbol.asyncDispose]();
      throw error;
    }
    return store;
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#call('get', { key });
  }

  list(prefix: string, options: ListOptions = {}): Promise<Page> {
    return this.#call('list', { prefix, options });
  }

  async transact(transaction: Transaction): Promise<Revision> {
    checkTransaction(transaction);
    return this.#call('transact', { transaction });
  }

  async *watch(prefix: string, signal: AbortSignal, from?: Revision): AsyncGenerator<Change, void> {
    if (this.#ended) throw this.#ended;
    const id = this.#nextId++;
    const queue = new ChangeQueue();
    this.#queues.set(id, queue);
    this.#hold();
    this.#post({ type: 'watch', id, prefix, from });
    try {
      yield* queue.drain(signal);
    } finally {
      this.#queues.delete(id);
      this.#hold();
      if (!this.#ended) this.#post({ type: 'unwatch', id });
    }
  }

  async lease(ttlSeconds: number): Promise<Lease> {
    const id = await this.#call('grant', { ttlMs: ttlSeconds * 1000 });
    const lost = new AbortController();
    this.#leases.set(id, lost);
    return {
      id,
      lost: lost.signal,
      revoke: async () => {
        await this.#call('revoke', { lease: id });
        this.#lose(id);
      },
    };
  }

  compact(revision: Revision): Promise<void> {
    return this.#call('compact', { revision });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    const exit = once(this.#worker, 'exit');
    this.#worker.ref();
    this.#post({ type: 'close' });
    this.#end(new UnavailableError('this datastore was closed'));
    await exit;
  }

  #call<Name extends CallName>(
    name: Name,
    args: Calls[Name]['arguments'],
  ): Promise<Calls[Name]['answer']> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new UnavailableError('the disk does not answer'));
      }, this.#deadlineMs + MARGIN_MS);
      this.#pending.set(id, { resolve, reject, timer });
      this.#hold();
      this.#post({ type: 'call', id, name, arguments: args } as ToWorker);
    }) as Promise<Calls[Name]['answer']>;
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** The thread keeps the process alive only while somebody waits for it. */
  #hold(): void {
    if (this.#pending.size + this.#queues.size > 0) this.#worker.ref();
    else this.#worker.unref();
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'answer':
        this.#settle(message.id)?.resolve(message.value);
        break;
      case 'failure':
        this.#settle(message.id)?.reject(errorOf(message.failure));
        break;
      case 'changes': {
        const queue = this.#queues.get(message.id);
        for (const change of message.changes) queue?.push(change);
        if (queue) this.#post({ type: 'acknowledge', id: message.id });
        break;
      }
      case 'known':
        this.#queues.get(message.id)?.know(message.keys);
        this.#queues.get(message.id)?.push({ type: 'synced', revision: message.revision });
        break;
      case 'broken':
        this.#queues.get(message.id)?.end(errorOf(message.failure));
        break;
      case 'lost':
        this.#lose(message.lease);
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(pending?.timer);
    this.#hold();
    return pending;
  }

  #lose(lease: LeaseId): void {
    this.#leases.get(lease)?.abort();
    this.#leases.delete(lease);
  }

  #end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#pending.clear();
    const isClosed = error instanceof UnavailableError;
    for (const queue of this.#queues.values()) queue.end(isClosed ? undefined : error);
    for (const lease of [...this.#leases.keys()]) this.#lose(lease);
  }
}
