import { AccessDeniedError, type Datastore, UnavailableError } from '@overland/datastore';

/**
 * Whether the datastore does what it is asked, as the calls find it: an outage shows with the first call that fails.
 * Reads that pass say nothing of writes: a full disk, or a lock that somebody holds, refuses those alone.
 */
export class DatastoreReach {
  #readFault: string | undefined;
  #writeFault: string | undefined;

  /** Why calls fail now; `undefined` if they do not. */
  get fault(): string | undefined {
    return this.#readFault ?? this.#writeFault;
  }

  /** Whether writes have failed, and none has been carried out since. */
  get refusesWrites(): boolean {
    return this.#writeFault !== undefined;
  }

  /** `datastore`, with what becomes of its calls taken note of. Watches mend themselves, and tell nothing. */
  observe(datastore: Datastore): Datastore {
    return {
      isPrivate: datastore.isPrivate,
      get: (key) => this.#read(() => datastore.get(key)),
      list: (prefix, options) => this.#read(() => datastore.list(prefix, options)),
      transact: (transaction) => this.#write(() => datastore.transact(transaction)),
      watch: (prefix, signal, from) => datastore.watch(prefix, signal, from),
      compact: (revision) => datastore.compact(revision),
      lease: (ttlSeconds) => this.#write(() => datastore.lease(ttlSeconds)),
      [Symbol.asyncDispose]: () => datastore[Symbol.asyncDispose](),
    };
  }

  async #read<T>(call: () => Promise<T>): Promise<T> {
    try {
      const answer = await call();
      this.#readFault = undefined;
      return answer;
    } catch (error) {
      this.#readFault = faultOf(error);
      throw error;
    }
  }

  async #write<T>(call: () => Promise<T>): Promise<T> {
    try {
      const answer = await call();
      this.#readFault = undefined;
      this.#writeFault = undefined;
      return answer;
    } catch (error) {
      const fault = faultOf(error);
      // A conflict is an answer, but nothing was written.
      if (fault === undefined) this.#readFault = undefined;
      else this.#writeFault = fault;
      throw error;
    }
  }
}

/** Why the datastore cannot be used now, in words for an operator; `undefined` if the error says nothing of that. */
export function faultOf(error: unknown): string | undefined {
  const isOutage = error instanceof UnavailableError || error instanceof AccessDeniedError;
  return isOutage ? error.message : undefined;
}
