import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError, UnusableError } from '../errors.ts';
import { isDamage, passingReason } from './passing-error.ts';

const FIRST_WAIT_MS = 4;
const LONGEST_WAIT_MS = 100;

/**
 * Tries `work` until it succeeds, fails in a way that waiting cannot mend, or `deadline` has passed. Waits in
 * between, longer each time and jittered: processes that wait for one lock must not wake together.
 *
 * @param deadline As `performance.now()`.
 * @throws {UnavailableError} At the deadline, with the reason.
 * @throws {UnusableError} If the file is damaged.
 */
export async function persist<T>(work: () => T, deadline: number): Promise<T> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      return work();
    } catch (error) {
      if (isDamage(error)) throw new UnusableError(`the file is damaged: ${messageOf(error)}`);
      const reason = passingReason(error);
      if (reason === undefined) throw error;
      const left = deadline - performance.now();
      if (left <= 0) throw new UnavailableError(reason, { cause: error });
      await sleep(Math.min(left, wait * (0.5 + Math.random())));
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
