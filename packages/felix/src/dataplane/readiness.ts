/** Callers that wait until something they describe is so. */
export class Readiness {
  readonly #waiting = new Set<() => void>();

  /**
   * Resolves when `isSo`.
   *
   * @throws The signal's reason, if it aborts before.
   */
  wait(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (how: () => void): void => {
        this.#waiting.delete(check);
        signal.removeEventListener('abort', abort);
        how();
      };
      const check = (): void => {
        if (isSo()) settle(resolve);
      };
      const abort = (): void => settle(() => reject(signal.reason));
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort);
      this.#waiting.add(check);
      check();
    });
  }

  /** Asks all conditions again. */
  check(): void {
    for (const check of this.#waiting) check();
  }
}
