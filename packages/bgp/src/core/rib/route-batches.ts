import type { Family, RouteBatch } from '@overland/net';
import type { FamilyRib } from './family-rib.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];

/** The stream of route batches to the kernel: both families in one sequence. */
export class RouteBatches {
  readonly #ribs: Readonly<Record<Family, FamilyRib>>;
  #sequence = 0;
  /** Families whose first full pass the receiver has not been told the end of. */
  readonly #owed = new Set<Family>(FAMILIES);
  /** Families that were fully decided at some time since the deferral ended. */
  readonly #settled = new Set<Family>();

  constructor(ribs: Readonly<Record<Family, FamilyRib>>) {
    this.#ribs = ribs;
  }

  /** Notes which families are fully decided; called once the deferral is over. */
  settle(): void {
    for (const family of this.#owed) if (this.#ribs[family].isDecided) this.#settled.add(family);
  }

  /** The next batch; `undefined` if there is nothing to tell. */
  next(maxRecords: number): RouteBatch | undefined {
    for (const family of FAMILIES) {
      const { fib } = this.#ribs[family];
      const mayEnd = this.#owed.has(family) && this.#settled.has(family);
      if (fib.pending === 0 && !mayEnd) continue;
      const { nextHopSets, records } = fib.take(maxRecords);
      const endOfRib = mayEnd && fib.pending === 0;
      if (endOfRib) this.#owed.delete(family);
      this.#sequence += 1;
      return { sequence: this.#sequence, family, nextHopSets, records, endOfRib };
    }
    return undefined;
  }
}
