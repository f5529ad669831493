/** A session this old is no oscillation when it ends, milliseconds. */
const STABLE_MS = 30_000;
const LONGEST_SECONDS = 60;

/**
 * Damps peer oscillation (RFC 4271 section 8.1.1): each failure in a row doubles the time in Idle. The loss
 * of a session that had been stable starts over, at once.
 */
export class BackOff {
  #failures = 0;

  /** @param lastedMs How long the session had been Established; 0 if it never was. */
  failed(lastedMs: number): void {
    this.#failures = lastedMs >= STABLE_MS ? 0 : this.#failures + 1;
  }

  reset(): void {
    this.#failures = 0;
  }

  /** Seconds to stay in Idle before the next attempt: 0, 1, 2, 4, … 60. */
  get seconds(): number {
    return this.#failures === 0 ? 0 : Math.min(LONGEST_SECONDS, 2 ** (this.#failures - 1));
  }
}
