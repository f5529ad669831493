import { type Family, familyOf, type Prefix, type RouteBatch } from '@overland/net';
import type { FamilyRib } from './family-rib.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const satisfies readonly Family[];

/** The stream of route batches to the kernel: both families in one sequence. */
export class RouteBatches {
  readonly #ribs: Readonly<Record<Family, FamilyRib>>;
  #sequence = 0;
  /** Families whose first full pass the receiver has not been told the end of. */
  readonly #owed = new Set<Family>(FAMILIES);
  /** Of batches that nobody has answered for: those that may hold back what peers are told. */
  readonly #taken = new Map<number, FamilyRib>();
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
      const rib = this.#ribs[family];
      const { fib } = rib;
      const mayEnd = this.#owed.has(family) && this.#settled.has(family);
      if (fib.pending === 0 && !mayEnd) continue;
      this.#sequence += 1;
      const { nextHopSets, records } = fib.take(maxRecords, this.#sequence);
      if (fib.awaited) this.#taken.set(this.#sequence, rib);
      const endOfRib = mayEnd && fib.pending === 0;
      if (endOfRib) this.#owed.delete(family);
      return { sequence: this.#sequence, family, nextHopSets, records, endOfRib };
    }
    return undefined;
  }

  /** The kernel has a batch. @param missing Prefixes of it that the kernel has no route of. */
  applied(sequence: number, missing: readonly Prefix[]): void {
    const rib = this.#taken.get(sequence);
    this.#taken.delete(sequence);
    const ids = new Set(missing.map((prefix) => rib?.idOf(prefix)));
    rib?.fib.awaited?.applied(sequence, (prefix) => ids.has(prefix));
  }

  /** The kernel has routes that were {@link applied} as missing. */
  arrived(prefixes: readonly Prefix[]): void {
    for (const prefix of prefixes) {
      const rib = this.#ribs[familyOf(prefix)];
      rib.fib.awaited?.arrived(rib.idOf(prefix));
    }
  }
}
