/** How long changes take to be all the way through. */
export interface ConvergenceView {
  /** Times that the speaker came to rest. */
  readonly count: number;
  readonly totalMs: number;
  readonly longestMs: number;
  /** `null`: never yet. */
  readonly lastMs: number | null;
}

/**
 * Takes the time from the first change that finds the speaker at rest until it is at rest again: everything is decided,
 * the kernel has it, and the peers have it as far as they take it.
 */
export class ConvergenceClock {
  #sinceMs: number | undefined;
  #count = 0;
  #totalMs = 0;
  #longestMs = 0;
  #lastMs: number | null = null;

  get isAtRest(): boolean {
    return this.#sinceMs === undefined;
  }

  /** Something has changed. @param nowMs Of a clock that does not jump. */
  changed(nowMs: number): void {
    this.#sinceMs ??= nowMs;
  }

  /** The speaker is at rest. */
  rests(nowMs: number): void {
    if (this.#sinceMs === undefined) return;
    const elapsedMs = nowMs - this.#sinceMs;
    this.#sinceMs = undefined;
    this.#count += 1;
    this.#totalMs += elapsedMs;
    this.#longestMs = Math.max(this.#longestMs, elapsedMs);
    this.#lastMs = elapsedMs;
  }

  get view(): ConvergenceView {
    return {
      count: this.#count,
      totalMs: this.#totalMs,
      longestMs: this.#longestMs,
      lastMs: this.#lastMs,
    };
  }
}
