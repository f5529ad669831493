const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;

interface Failure {
  readonly attempts: number;
  readonly dueMs: number;
  readonly reason: string;
}

/**
 * Keys whose last attempt failed, each with its own back-off: 100 ms, doubled up to 30 s. A key that
 * keeps failing costs the others nothing.
 */
export class RetryQueue<K> {
  readonly #failures = new Map<K, Failure>();

  get size(): number {
    return this.#failures.size;
  }

  /** Records one more failure of `key`. */
  failed(key: K, reason: string, nowMs: number): void {
    const attempts = (this.#failures.get(key)?.attempts ?? 0) + 1;
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (attempts - 1), LONGEST_DELAY_MS);
    this.#failures.set(key, { attempts, dueMs: nowMs + delayMs, reason });
  }

  /** Forgets `key`: it succeeded, or is not wanted any more. */
  forget(key: K): void {
    this.#failures.delete(key);
  }

  /** Whether `key` failed and its time has not come yet. */
  isWaiting(key: K): boolean {
    return Number.isFinite(this.#failures.get(key)?.dueMs);
  }

  /** Makes every key due now: what they failed on may have changed. */
  hurry(): void {
    for (const [key, failure] of this.#failures) {
      if (Number.isFinite(failure.dueMs)) this.#failures.set(key, { ...failure, dueMs: 0 });
    }
  }

  /** Keys whose time has come. They stay in the queue, and are not due again before they fail again. */
  takeDue(nowMs: number): K[] {
    const due: K[] = [];
    for (const [key, failure] of this.#failures) {
      if (failure.dueMs > nowMs) continue;
      this.#failures.set(key, { ...failure, dueMs: Number.POSITIVE_INFINITY });
      due.push(key);
    }
    return due;
  }

  /** When the next key is due, or `undefined`. */
  nextDueMs(): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#failures.values()) next = Math.min(next, dueMs);
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** What fails now, and why; oldest failure first. */
  *entries(): Generator<{ readonly key: K; readonly attempts: number; readonly reason: string }> {
    for (const [key, { attempts, reason }] of this.#failures) yield { key, attempts, reason };
  }
}
