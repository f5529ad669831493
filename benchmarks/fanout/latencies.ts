const BUCKETS = 60_000;

/** Times in milliseconds, as counts, so that those of several processes can be added. */
export class Latencies {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(milliseconds: number, count = 1): void {
    const bucket = Math.min(Math.max(0, Math.ceil(milliseconds)), BUCKETS - 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    this.#total += count;
  }

  /** The buckets that hold something, for another process. */
  entries(): [milliseconds: number, count: number][] {
    return [...this.#counts.entries()].filter(([, count]) => count > 0);
  }

  /** Milliseconds, rounded up. */
  percentile(share: number): number {
    let seen = 0;
    for (const [milliseconds, count] of this.entries()) {
      seen += count;
      if (seen >= this.#total * share) return milliseconds;
    }
    return 0;
  }
}
