import type { Decision } from './decision.ts';
import type { RibTables } from './rib-tables.ts';

/**
 * The eligible groups of one prefix in the order in which they would be chosen: the best, then the best of the rest, and so
 * on, as far as somebody asks. So a group that MED ruled out comes behind the one that did it. One object is used again
 * and again.
 */
export class Ranking {
  readonly #tables: RibTables;
  readonly #decision: Decision;
  #prefix = 0;
  /** Groups that stand in no order yet: the first `left`. */
  readonly #rest: number[] = [];
  #left = -1;
  readonly #ranked: number[] = [];
  readonly #scratch: number[] = [];
  #sharing: readonly number[] | undefined;

  constructor(tables: RibTables, decision: Decision) {
    this.#tables = tables;
    this.#decision = decision;
  }

  /** Begins with a prefix, as its paths are now. */
  start(prefix: number): void {
    this.#prefix = prefix;
    this.#left = -1;
    this.#ranked.length = 0;
    this.#sharing = undefined;
  }

  /** The group at a place of the order, from 0 on; 0 behind the last one. */
  at(place: number): number {
    if (this.#left < 0) this.#left = this.#tables.eligibleGroups(this.#prefix, this.#rest);
    while (this.#ranked.length <= place && this.#left > 0) this.#takeBest();
    return this.#ranked[place] ?? 0;
  }

  /** The groups that share the load, the best first. */
  sharing(): readonly number[] {
    this.#sharing ??= this.#choose();
    return this.#sharing;
  }

  #choose(): readonly number[] {
    const count = this.#tables.eligibleGroups(this.#prefix, this.#scratch);
    return count === 0 ? [] : this.#scratch.slice(0, this.#decision.choose(this.#scratch, count));
  }

  #takeBest(): void {
    for (let i = 0; i < this.#left; i += 1) this.#scratch[i] = this.#rest[i] ?? 0;
    this.#decision.choose(this.#scratch, this.#left);
    const best = this.#scratch[0] ?? 0;
    this.#ranked.push(best);
    const at = this.#rest.indexOf(best);
    this.#left -= 1;
    this.#rest[at] = this.#rest[this.#left] ?? 0;
  }
}
