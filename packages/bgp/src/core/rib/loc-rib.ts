import type { AdjRibOut } from './adj-rib-out.ts';
import { Decision, type PeerOrder } from './decision.ts';
import type { FibStream } from './fib-stream.ts';
import { Int32Column } from './memory/column.ts';
import type { NextHopSets } from './next-hop-sets.ts';
import { GroupFlag } from './path-groups.ts';
import type { RibTables } from './rib-tables.ts';

/**
 * The best path of every prefix of one family. RFC 4271 section 3.2.
 *
 * The best path is remembered as its group: a prefix has at most one path in a group.
 */
export class LocRib {
  readonly decision: Decision;
  /** Everyone that is told of a change. */
  readonly outs = new Set<AdjRibOut>();
  readonly #tables: RibTables;
  readonly #sets: NextHopSets;
  readonly #fib: FibStream;
  readonly #best = new Int32Column();
  readonly #candidates: number[] = [];
  readonly #adjacencies: number[] = [];

  constructor(
    tables: RibTables,
    out: { readonly sets: NextHopSets; readonly fib: FibStream },
    peers: PeerOrder,
  ) {
    this.#tables = tables;
    this.#sets = out.sets;
    this.#fib = out.fib;
    this.decision = new Decision(tables.groups, tables.attributes, peers);
  }

  /** The group of the best path of a prefix; 0 if it has none. */
  best(prefix: number): number {
    return this.#best.get(prefix);
  }

  /** Decides up to `units` prefixes. @returns Units used. */
  step(units: number): number {
    const { undecided } = this.#tables;
    let used = 0;
    while (used < units && undecided.size > 0) {
      this.#decide(undecided.take());
      used += 1;
    }
    return used;
  }

  /** Eligible groups of a prefix, the best and those that share the load with it first. For people. */
  chosen(prefix: number): number[] {
    const count = this.#gather(prefix);
    if (count === 0) return [];
    return this.#candidates.slice(0, this.decision.choose(this.#candidates, count));
  }

  /** Groups of a prefix in the order of preference, ineligible ones last. For people. */
  rank(groups: readonly number[]): number[] {
    const eligible = groups.filter((group) => this.#tables.isEligible(group));
    const rest = groups.filter((group) => !this.#tables.isEligible(group));
    return [...this.decision.rank(eligible), ...rest];
  }

  #decide(prefix: number): void {
    const count = this.#gather(prefix);
    const chosen = count === 0 ? 0 : this.decision.choose(this.#candidates, count);
    const best = count === 0 ? 0 : (this.#candidates[0] ?? 0);
    this.#fib.want(prefix, chosen === 0 ? 0 : this.#nextHopSet(chosen));
    const before = this.#best.get(prefix);
    if (best !== before) this.#change(prefix, before, best);
  }

  #gather(prefix: number): number {
    const tables = this.#tables;
    const { paths } = tables;
    let count = 0;
    for (let path = paths.first(prefix); path !== 0; path = paths.following(path)) {
      const group = paths.group(path);
      if (!tables.isEligible(group)) continue;
      this.#candidates[count] = group;
      count += 1;
    }
    return count;
  }

  /** Slot of the set that the first `count` candidates make; 0 for what we originate: others route that. */
  #nextHopSet(count: number): number {
    const { groups, nextHops } = this.#tables;
    const best = this.#candidates[0] ?? 0;
    if (groups.has(best, GroupFlag.Originated)) return 0;
    const adjacencies = this.#adjacencies;
    adjacencies.length = 0;
    for (let i = 0; i < count; i += 1) {
      const adjacency = nextHops.adjacencyOf(groups.nextHop.get(this.#candidates[i] ?? 0));
      if (adjacency !== 0 && !adjacencies.includes(adjacency)) adjacencies.push(adjacency);
    }
    if (adjacencies.length > 1) adjacencies.sort((a, b) => a - b);
    return this.#sets.slotOf(adjacencies);
  }

  #change(prefix: number, before: number, best: number): void {
    const { prefixes } = this.#tables;
    if (best !== 0) {
      this.#tables.holdBest(best);
      if (before === 0) prefixes.hold(prefix);
    }
    this.#best.set(prefix, best);
    for (const out of this.outs) out.bestChanged(prefix, before, best);
    if (before !== 0) {
      this.#tables.releaseBest(before);
      if (best === 0) prefixes.release(prefix);
    }
  }
}
