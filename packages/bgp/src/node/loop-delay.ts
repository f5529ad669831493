import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Between looks at the loop, milliseconds: often enough to see what matters to sessions, rarely enough to cost nothing. */
const RESOLUTION_MS = 50;

/** How late this thread's event loop comes to what is due, since the start; milliseconds. */
export interface LoopDelayView {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

/** Watches the event loop of this thread. */
export class LoopDelay implements Disposable {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  get view(): LoopDelayView {
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    const histogram = this.#histogram;
    return {
      medianMs: late(histogram.percentile(50)),
      p99Ms: late(histogram.percentile(99)),
      longestMs: late(histogram.max),
    };
  }

  [Symbol.dispose](): void {
    this.#histogram.disable();
  }
}
