import { setImmediate as nextTurn } from 'node:timers/promises';

/** Time, as an argument, so that tests decide when it passes. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Runs `work` once after `delayMs`, unless the returned function is called before. */
  schedule(delayMs: number, work: () => void): () => void;
  /** Lets everything that is due run: events, messages, timers. */
  yield(): Promise<void>;
}

/** The real clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule: (delayMs, work) => {
    const timer = setTimeout(work, delayMs).unref();
    return () => clearTimeout(timer);
  },
  yield: async () => {
    await nextTurn();
  },
};
