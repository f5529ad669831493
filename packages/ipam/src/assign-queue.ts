import type { AssignOutcome } from './assign.ts';
import { MAX_BATCH } from './assign.ts';
import type { Assignment, AssignRequest } from './assign-request.ts';
import { SerialQueue } from './serial-queue.ts';

interface Waiting {
  readonly request: AssignRequest;
  readonly settle: (outcome: AssignOutcome) => void;
}

/**
 * Runs one host's calls in order of arrival, and assignments that wait next to each other as one: while a transaction is
 * under way, those that come meanwhile gather for the next (group commit). A release never passes the assignment it is to
 * undo.
 */
export class AssignQueue {
  readonly #queue = new SerialQueue();
  readonly #assignAll: (requests: readonly AssignRequest[]) => Promise<readonly AssignOutcome[]>;
  /** The last in the queue, if it is of assignments and has not begun. */
  #open: Waiting[] | undefined;

  constructor(
    assignAll: (requests: readonly AssignRequest[]) => Promise<readonly AssignOutcome[]>,
  ) {
    this.#assignAll = assignAll;
  }

  /** Runs a call that is not an assignment, after all that came before. */
  run<T>(task: () => Promise<T>): Promise<T> {
    this.#open = undefined;
    return this.#queue.run(task);
  }

  assign(request: AssignRequest): Promise<Assignment> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: AssignOutcome): void => {
        if (outcome.status === 'fulfilled') resolve(outcome.value);
        else reject(outcome.reason);
      };
      this.#join({ request, settle });
    });
  }

  #join(waiting: Waiting): void {
    const isKnown = this.#open?.some(({ request }) => request.handle === waiting.request.handle);
    if (this.#open && !isKnown && this.#open.length < MAX_BATCH) {
      this.#open.push(waiting);
      return;
    }
    const batch = [waiting];
    this.#open = batch;
    void this.#queue.run(async () => {
      if (this.#open === batch) this.#open = undefined;
      await this.#settle(batch);
    });
  }

  async #settle(batch: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.#assignAll(batch.map(({ request }) => request));
      for (const [i, { settle }] of batch.entries()) {
        const outcome = outcomes[i];
        if (outcome) settle(outcome);
      }
    } catch (reason) {
      for (const { settle } of batch) settle({ status: 'rejected', reason });
    }
  }
}
