import { setImmediate } from 'node:timers/promises';
import type { Revision, Transaction } from '../datastore.ts';
import { UnavailableError } from '../errors.ts';
import type { Outcome } from './sqlite-engine.ts';

/** Most transactions in one commit: bounds how long the lock is held. */
const MAX_BATCH = 64;

interface Waiting {
  readonly transaction: Transaction;
  readonly deadline: number;
  readonly settle: (outcome: Outcome | { readonly error: unknown }) => void;
}

/** Commits every waiting transaction of one batch, or throws and commits none. */
type Commit = (transactions: readonly Transaction[], deadline: number) => Promise<Outcome[]>;

/**
 * Transactions of one client, in order. Those that wait while one is written are committed together, with
 * one fsync.
 */
export class WriteQueue {
  readonly #commit: Commit;
  #waiting: Waiting[] = [];
  #isRunning = false;
  /** Why the last batch was not written. */
  #reason = '';

  constructor(commit: Commit) {
    this.#commit = commit;
  }

  /** @param deadline As `performance.now()`. */
  async add(transaction: Transaction, deadline: number): Promise<Revision> {
    const outcome = await new Promise<Outcome | { readonly error: unknown }>((settle) => {
      this.#waiting.push({ transaction, deadline, settle });
      if (!this.#isRunning) void this.#run();
    });
    if ('error' in outcome) throw outcome.error;
    return outcome.revision;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      // Lets every request in that has arrived meanwhile.
      await setImmediate();
      await this.#commitBatch(this.#waiting.splice(0, MAX_BATCH));
    }
    this.#isRunning = false;
  }

  async #commitBatch(batch: readonly Waiting[]): Promise<void> {
    const now = performance.now();
    const [first, ...rest] = batch.filter((waiting) => waiting.deadline > now);
    for (const late of batch.filter((waiting) => waiting.deadline <= now)) {
      late.settle({ error: new UnavailableError(`earlier writes took too long${this.#reason}`) });
    }
    if (!first) return;
    const live = [first, ...rest];
    try {
      const transactions = live.map(({ transaction }) => transaction);
      const outcomes = await this.#commit(transactions, first.deadline);
      this.#reason = '';
      live.forEach(({ settle }, i) => {
        settle(outcomes[i] ?? { error: new Error('a transaction has no outcome') });
      });
    } catch (error) {
      this.#reason = error instanceof Error ? `: ${error.message}` : '';
      for (const { settle } of live) settle({ error });
    }
  }
}
