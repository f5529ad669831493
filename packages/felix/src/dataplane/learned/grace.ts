/**
 * Lets things be unneeded for a while before they go. Sets of next hops come and go while sessions do; what is
 * needed again meanwhile was never away.
 */
export class Grace {
  readonly #graceMs: number;
  readonly #since = new Map<number, number>();

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** @param unneeded What nothing needs now. @returns Those of them that nothing has needed for long enough, in the same order. */
  expired(unneeded: readonly number[], nowMs: number): number[] {
    const known = new Set(unneeded);
    for (const id of this.#since.keys()) if (!known.has(id)) this.#since.delete(id);
    for (const id of unneeded) if (!this.#since.has(id)) this.#since.set(id, nowMs);
    return unneeded.filter((id) => (this.#since.get(id) ?? nowMs) + this.#graceMs <= nowMs);
  }

  /** It is gone. */
  forget(id: number): void {
    this.#since.delete(id);
  }

  /** When the next one has been unneeded for long enough, or `undefined`. */
  nextDueMs(): number | undefined {
    return this.#since.size > 0 ? Math.min(...this.#since.values()) + this.#graceMs : undefined;
  }
}
