import { setTimeout as delay } from 'node:timers/promises';
import {
  AccessDeniedError,
  type Change,
  type Datastore,
  LockedError,
  UnavailableError,
} from '@overland/datastore';

/**
 * Whether the datastore does what it is asked, as the calls find it: an outage shows with the first call that fails.
 * Reads that pass say nothing of writes: a full disk, or a lock that somebody holds, refuses those alone.
 */
export class DatastoreReach {
  #readFault: string | undefined;
  #writeFault: string | undefined;
  #isLocked = false;
  /** Why a range may not be watched, by prefix. */
  readonly #refused = new Map<string, string>();
  readonly #refusedPauseMs: number;

  /** @param refusedPauseMs How long after a refusal a watch is tried again. */
  constructor(refusedPauseMs = 2000) {
    this.#refusedPauseMs = refusedPauseMs;
  }

  /** Why calls fail now, or what may not be watched; `undefined` if all is well. */
  get fault(): string | undefined {
    const [refused] = this.#refused.values();
    return this.#readFault ?? this.#writeFault ?? refused;
  }

  /** Whether writes have failed, and none has been carried out since. */
  get refusesWrites(): boolean {
    return this.#writeFault !== undefined;
  }

  /** Whether an operator has locked it, which is all that is wrong. */
  get isLocked(): boolean {
    return this.#isLocked && this.#readFault === undefined;
  }

  /**
   * `datastore`, with what becomes of its calls taken note of. Watches mend themselves, and tell nothing; one that is
   * refused from the start waits until it is not: a role made for an older agent must not end a newer one.
   */
  observe(datastore: Datastore): Datastore {
    return {
      isPrivate: datastore.isPrivate,
      get: (key) => this.#read(() => datastore.get(key)),
      list: (prefix, options) => this.#read(() => datastore.list(prefix, options)),
      transact: (transaction) => this.#write(() => datastore.transact(transaction)),
      watch: (prefix, signal, from) =>
        this.#watch(() => datastore.watch(prefix, signal, from), prefix, signal),
      compact: (revision) => datastore.compact(revision),
      lease: (ttlSeconds) => this.#write(() => datastore.lease(ttlSeconds)),
      [Symbol.asyncDispose]: () => datastore[Symbol.asyncDispose](),
    };
  }

  async *#watch(
    open: () => AsyncIterable<Change>,
    prefix: string,
    signal: AbortSignal,
  ): AsyncGenerator<Change, void> {
    let isBegun = false;
    while (!signal.aborted) {
      try {
        for await (const change of open()) {
          isBegun = true;
          this.#refused.delete(prefix);
          yield change;
        }
        return;
      } catch (error) {
        // Once something was told, only a new process can begin again from nothing.
        if (isBegun || !(error instanceof AccessDeniedError)) throw error;
        this.#refused.set(prefix, error.message);
        await delay(this.#refusedPauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
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
      this.#isLocked = false;
      return answer;
    } catch (error) {
      const fault = faultOf(error);
      // A conflict is an answer, but nothing was written.
      if (fault === undefined) this.#readFault = undefined;
      else {
        this.#writeFault = fault;
        this.#isLocked = error instanceof LockedError;
      }
      throw error;
    }
  }
}

/** Why the datastore cannot be used now, in words for an operator; `undefined` if the error says nothing of that. */
export function faultOf(error: unknown): string | undefined {
  const isOutage = error instanceof UnavailableError || error instanceof AccessDeniedError;
  return isOutage ? error.message : undefined;
}
