import { equalAsPaths } from '../wire/as-path.ts';
import { AttributeSummary } from '../wire/attribute-summary.ts';
import type { AttributeTable } from './attribute-table.ts';
import type { NextHops } from './next-hops.ts';
import { compareNextHops, compareSets } from './order-of-contents.ts';
import { GroupFlag, type PathGroups } from './path-groups.ts';

/** One step of the decision process: of the routes still considered, those with the lowest value stay. */
export interface DecisionStep {
  readonly name: string;
  readonly value: (groups: PathGroups, group: number, peers: PeerOrder) => number;
  /** Orders what no number stands for, in place of `value`; negative if `a` is better. */
  readonly compare?: (tables: DecisionTables, a: number, b: number) => number;
  /** Compares only routes that came from the same neighbouring AS. */
  readonly perNeighbourAs?: true;
  /** What is left before the first of these is of equal cost. */
  readonly breaksTie?: true;
}

/** Peers in the order of their addresses. */
export interface PeerOrder {
  /** @param peer Slot. */
  rank(peer: number): number;
}

/** What the decision process looks into. */
export interface DecisionTables {
  readonly groups: PathGroups;
  readonly attributes: AttributeTable;
  readonly nextHops: NextHops;
}

/**
 * The decision process, in order. RFC 4271 section 9.1, with the tie breakers of RFC 4456 section 9 and RFC 9494 section 4.3.
 *
 * There is no "oldest route wins": the choice depends on the routes alone, never on the order they came in, so
 * that a replay and a restart end in the same state (RFC 5004 is the alternative). The IGP metric of 9.1.2.2 e
 * is the same for every next hop while all of them are directly connected. Several paths of one peer (RFC 7911) are told
 * apart by what they are, not by their identifiers, which follow the order that they came to the peer in (decision 0145).
 */
export const DECISION_STEPS: readonly DecisionStep[] = [
  { name: 'originated', value: (groups, g) => (groups.has(g, GroupFlag.Originated) ? 0 : 1) },
  {
    name: 'long-lived-stale',
    value: (groups, g) => (groups.has(g, GroupFlag.LongLivedStale) ? 1 : 0),
  },
  { name: 'local-pref', value: (groups, g) => -groups.localPref(g) },
  { name: 'as-path-length', value: (groups, g) => groups.asPathLength(g) },
  { name: 'origin', value: (groups, g) => groups.origin(g) },
  { name: 'med', value: (groups, g) => groups.med(g), perNeighbourAs: true },
  { name: 'ebgp-over-ibgp', value: (groups, g) => (groups.has(g, GroupFlag.Ebgp) ? 0 : 1) },
  { name: 'router-id', value: (groups, g) => groups.routerId(g), breaksTie: true },
  { name: 'cluster-list-length', value: (groups, g) => groups.clusterCount(g), breaksTie: true },
  {
    name: 'peer-address',
    value: (groups, g, peers) => peers.rank(groups.peer(g)),
    breaksTie: true,
  },
  { name: 'next-hop', value: () => 0, compare: compareNextHops, breaksTie: true },
  { name: 'attributes', value: () => 0, compare: compareSets, breaksTie: true },
];

export interface MultipathRule {
  readonly maxPaths: number;
  readonly relaxAsPath: boolean;
  readonly linkBandwidth?: boolean;
}

/** Runs the decision process for one prefix at a time, over the groups that its paths are in. */
export class Decision {
  multipath: MultipathRule = { maxPaths: 1, relaxAsPath: false };
  readonly #tables: DecisionTables;
  readonly #groups: PathGroups;
  readonly #peers: PeerOrder;
  readonly #summary = new AttributeSummary();

  constructor(tables: DecisionTables, peers: PeerOrder) {
    this.#tables = tables;
    this.#groups = tables.groups;
    this.#peers = peers;
  }

  /**
   * @param candidates Groups of the eligible paths, at least one; on return the best and, behind it, those that
   *   share the load with it, in the order of the tie breakers. Other elements are lost.
   * @param count Candidates, the first ones of the array.
   * @returns Groups of the result.
   */
  choose(candidates: number[], count: number): number {
    if (count === 1) return 1;
    let left = count;
    let equal = 0;
    for (const step of DECISION_STEPS) {
      if (left === 1) break;
      if (step.breaksTie) {
        equal = left;
        break;
      }
      left = this.#keepLowest(step, candidates, left);
    }
    return equal === 0 ? 1 : this.share(candidates, equal);
  }

  /**
   * @param equal Groups of equal cost, at least one; on return the best and, behind it, those that share the load with
   *   it.
   * @param count Of them, the first ones of the array.
   * @returns Groups of the result.
   */
  share(equal: number[], count: number): number {
    this.#sortByTieBreakers(equal, count);
    return this.multipath.maxPaths === 1 ? 1 : this.#equalCost(equal, count);
  }

  /** For people: all candidates, best first; those that a later step ruled out stand before earlier ones. */
  rank(candidates: readonly number[]): number[] {
    const ranked: number[] = [];
    let left = [...candidates];
    for (const step of DECISION_STEPS) {
      if (step.breaksTie) break;
      const kept = this.survivors(step, left);
      const lost = left.filter((group) => !kept.includes(group));
      ranked.unshift(...lost.toSorted((a, b) => this.compareTies(a, b)));
      left = kept;
    }
    return [...left.toSorted((a, b) => this.compareTies(a, b)), ...ranked];
  }

  /** Those of the candidates that a step leaves. For people. */
  survivors(step: DecisionStep, candidates: readonly number[]): number[] {
    if (step.compare) {
      const best = candidates.reduce((a, b) => (this.compareBy(step, b, a) < 0 ? b : a));
      return candidates.filter((group) => this.compareBy(step, group, best) === 0);
    }
    const kept = [...candidates];
    kept.length = this.#keepLowest(step, kept, kept.length);
    return kept;
  }

  /** Orders two groups by a step alone; negative if `a` is better. */
  compareBy(step: DecisionStep, a: number, b: number): number {
    if (step.compare) return step.compare(this.#tables, a, b);
    return step.value(this.#groups, a, this.#peers) - step.value(this.#groups, b, this.#peers);
  }

  /** What a step compares: lower is better. */
  valueOf(step: DecisionStep, group: number): number {
    return step.value(this.#groups, group, this.#peers);
  }

  /** Whether a step compares the routes of two groups. */
  isCompared({ perNeighbourAs }: DecisionStep, a: number, b: number): boolean {
    return !perNeighbourAs || this.#groups.neighbourAs(a) === this.#groups.neighbourAs(b);
  }

  /** Whether routes of equal cost may share the load as far as their AS_PATHs are concerned. */
  mayShare(best: number, group: number): boolean {
    return this.multipath.relaxAsPath || this.#sameAsPath(best, group);
  }

  /** Orders routes of equal cost; negative if `a` is better. */
  compareTies(a: number, b: number): number {
    for (const step of DECISION_STEPS) {
      const order = step.breaksTie ? this.compareBy(step, a, b) : 0;
      if (order !== 0) return order;
    }
    return 0;
  }

  #keepLowest(step: DecisionStep, candidates: number[], count: number): number {
    return step.perNeighbourAs
      ? this.#keepLowestPerNeighbour(step, candidates, count)
      : this.#keepLowestOfAll(step, candidates, count);
  }

  #keepLowestOfAll(step: DecisionStep, candidates: number[], count: number): number {
    let lowest = Number.POSITIVE_INFINITY;
    let kept = 0;
    for (let i = 0; i < count; i += 1) {
      const group = candidates[i] ?? 0;
      const value = step.value(this.#groups, group, this.#peers);
      if (value > lowest) continue;
      if (value < lowest) {
        lowest = value;
        kept = 0;
      }
      candidates[kept] = group;
      kept += 1;
    }
    return kept;
  }

  #keepLowestPerNeighbour(step: DecisionStep, candidates: number[], count: number): number {
    let kept = 0;
    for (let i = 0; i < count; i += 1) {
      const group = candidates[i] ?? 0;
      // The lowest of a neighbour is always among those kept and those to come.
      const isBeaten =
        this.#isBeaten(step, group, candidates, { from: 0, to: kept }) ||
        this.#isBeaten(step, group, candidates, { from: i + 1, to: count });
      if (isBeaten) continue;
      candidates[kept] = group;
      kept += 1;
    }
    return kept;
  }

  /** Whether some of the candidates comes from the same neighbouring AS and has a lower value. */
  #isBeaten(
    step: DecisionStep,
    group: number,
    candidates: readonly number[],
    { from, to }: { readonly from: number; readonly to: number },
  ): boolean {
    const groups = this.#groups;
    const neighbour = groups.neighbourAs(group);
    const value = step.value(groups, group, this.#peers);
    for (let i = from; i < to; i += 1) {
      const other = candidates[i] ?? 0;
      if (groups.neighbourAs(other) !== neighbour) continue;
      if (step.value(groups, other, this.#peers) < value) return true;
    }
    return false;
  }

  /** Insertion sort: there are as many candidates as peers offer the prefix. */
  #sortByTieBreakers(candidates: number[], count: number): void {
    for (let i = 1; i < count; i += 1) {
      const group = candidates[i] ?? 0;
      let at = i;
      for (; at > 0 && this.compareTies(candidates[at - 1] ?? 0, group) > 0; at -= 1) {
        candidates[at] = candidates[at - 1] ?? 0;
      }
      candidates[at] = group;
    }
  }

  /** Keeps what may share the load with the best, which is first. */
  #equalCost(candidates: number[], count: number): number {
    const best = candidates[0] ?? 0;
    let kept = 1;
    for (let i = 1; i < count && kept < this.multipath.maxPaths; i += 1) {
      const group = candidates[i] ?? 0;
      if (!this.mayShare(best, group)) continue;
      candidates[kept] = group;
      kept += 1;
    }
    return kept;
  }

  #sameAsPath(a: number, b: number): boolean {
    const [left, right] = [this.#groups.attribute(a), this.#groups.attribute(b)];
    if (left === right) return true;
    const { attributes } = this.#tables;
    const summary = this.#summary;
    summary.read(attributes.bytes(left), attributes.offset(left), attributes.length(left));
    const leftPath = summary.asPath;
    summary.read(attributes.bytes(right), attributes.offset(right), attributes.length(right));
    return equalAsPaths(leftPath, summary.asPath);
  }
}
