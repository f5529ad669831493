import { LinkBandwidthReader } from '../wire/link-bandwidth.ts';
import { Decision, type PeerOrder } from './decision.ts';
import type { FibStream } from './fib-stream.ts';
import { toShares } from './load-shares.ts';
import type { NextHopSets } from './next-hop-sets.ts';
import { GroupFlag } from './path-groups.ts';
import { Ranking } from './ranking.ts';
import type { RibTables } from './rib-tables.ts';

/** Prefixes decided at a time. */
const BATCH = 256;

/** Prefixes whose best path changed: the first `count` of each array. Groups, 0 for none. */
export interface BestChanges {
  count: number;
  readonly prefixes: Int32Array;
  readonly before: Int32Array;
  readonly best: Int32Array;
}

/** Is told of other best paths. */
export interface BestWatcher {
  bestChanged(changes: BestChanges): void;
}

/** Is told of each prefix that was decided; the ranking has been started with it. */
export interface DecisionWatcher {
  decided(prefix: number): void;
}

function newBatch(): BestChanges {
  const [prefixes, before, best] = [0, 0, 0].map(() => new Int32Array(BATCH)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  return { count: 0, prefixes, before, best };
}

/**
 * The best path of every prefix of one family. RFC 4271 section 3.2.
 *
 * The best path is remembered as its group: where a prefix has several paths in a group, they are equal.
 */
export class LocRib {
  readonly decision: Decision;
  /** Everyone that is told of a change. */
  readonly outs: BestWatcher[] = [];
  /** Everyone that is told of every prefix that is decided: they get more than its best path. */
  readonly pathOuts: DecisionWatcher[] = [];
  readonly ranking: Ranking;
  /** Told of changes before anybody else. */
  aggregates: { bestChanged(changes: BestChanges): void } | undefined;
  /** Prefixes decided, and best paths that changed by that, since the start. */
  decisions = 0;
  bestChanges = 0;
  readonly #tables: RibTables;
  readonly #sets: NextHopSets;
  readonly #fib: FibStream;
  readonly #candidates: number[] = [];
  readonly #adjacencies: number[] = [];
  /** Of the adjacencies; 0: not known. */
  readonly #bandwidths: number[] = [];
  readonly #bandwidthReader = new LinkBandwidthReader();
  readonly #batch = newBatch();
  /** The group that a prefix has had as its only one, and what that comes to. */
  #soleGroup = 0;
  #soleBest = 0;
  #soleSet = 0;

  constructor(
    tables: RibTables,
    out: { readonly sets: NextHopSets; readonly fib: FibStream },
    peers: PeerOrder,
  ) {
    this.#tables = tables;
    this.#sets = out.sets;
    this.#fib = out.fib;
    this.decision = new Decision(tables, peers);
    this.ranking = new Ranking(tables, this.decision);
  }

  /** The group of the best path of a prefix; 0 if it has none. */
  best(prefix: number): number {
    return this.#tables.states.best(prefix);
  }

  /** Decides up to `units` prefixes. @returns Units used. */
  step(units: number): number {
    const { undecided } = this.#tables;
    const { prefixes } = this.#batch;
    let used = 0;
    while (used < units) {
      const count = undecided.takeMany(prefixes, Math.min(units - used, prefixes.length));
      if (count === 0) break;
      used += count;
      this.#decideAll(count);
    }
    return used;
  }

  /** Eligible groups of a prefix, the best and those that share the load with it first. For people. */
  chosen(prefix: number): number[] {
    const count = this.#tables.eligibleGroups(prefix, this.#candidates);
    if (count === 0) return [];
    return this.#candidates.slice(0, this.decision.choose(this.#candidates, count));
  }

  /** Groups of a prefix in the order of preference, ineligible ones last. For people. */
  rank(groups: readonly number[]): number[] {
    const eligible = groups.filter((group) => this.#tables.isEligible(group));
    const rest = groups.filter((group) => !this.#tables.isEligible(group));
    return [...this.decision.rank(eligible), ...rest];
  }

  /** Decides the first `count` prefixes of the batch and tells everyone about those that changed. */
  #decideAll(count: number): void {
    const { paths } = this.#tables;
    const { prefixes } = this.#batch;
    this.#batch.count = 0;
    this.#soleGroup = 0;
    for (let i = 0; i < count; i += 1) {
      const prefix = prefixes[i] ?? 0;
      const path = paths.first(prefix);
      // Most prefixes of most tables have one path.
      if (path !== 0 && paths.following(path) === 0) this.#decideSole(prefix, paths.group(path));
      else this.#decideAmong(prefix);
      if (this.pathOuts.length > 0) this.#tellPaths(prefix);
    }
    this.decisions += count;
    this.bestChanges += this.#batch.count;
    this.aggregates?.bestChanged(this.#batch);
    for (const out of this.outs) out.bestChanged(this.#batch);
    this.#releaseFormer();
  }

  #tellPaths(prefix: number): void {
    this.ranking.start(prefix);
    for (const out of this.pathOuts) out.decided(prefix);
  }

  #decideSole(prefix: number, group: number): void {
    if (group !== this.#soleGroup) {
      // Prefixes come in runs of the same group.
      const { groups, nextHops } = this.#tables;
      this.#soleGroup = group;
      this.#soleBest = this.#tables.isEligible(group) ? group : 0;
      this.#soleSet = 0;
      if (this.#soleBest !== 0) {
        this.#soleSet = groups.has(group, GroupFlag.Discard)
          ? this.#sets.slotOf([], 0)
          : nextHops.soleSetOf(groups.nextHop(group));
      }
    }
    this.#fib.want(prefix, this.#soleSet);
    this.#setBest(prefix, this.#soleBest);
  }

  #decideAmong(prefix: number): void {
    const count = this.#tables.eligibleGroups(prefix, this.#candidates);
    const chosen = count === 0 ? 0 : this.decision.choose(this.#candidates, count);
    this.#fib.want(prefix, chosen === 0 ? 0 : this.#nextHopSet(chosen));
    this.#setBest(prefix, chosen === 0 ? 0 : (this.#candidates[0] ?? 0));
  }

  /**
   * Slot of the set that the first `count` candidates make; an empty one for what is to be dropped; 0 for what else we
   * originate: others route that.
   */
  #nextHopSet(count: number): number {
    const { groups, nextHops } = this.#tables;
    const best = this.#candidates[0] ?? 0;
    if (groups.has(best, GroupFlag.Discard)) return this.#sets.slotOf([], 0);
    // Of our own, others route all but static routes.
    if (groups.has(best, GroupFlag.Originated) && groups.nextHop(best) === 0) return 0;
    const asksBandwidth = count > 1 && this.decision.multipath.linkBandwidth === true;
    let isWeighted = asksBandwidth;
    let members = 0;
    for (let i = 0; i < count; i += 1) {
      const group = this.#candidates[i] ?? 0;
      const bandwidth = asksBandwidth ? this.#bandwidthOf(group) : 0;
      if (bandwidth === 0) isWeighted = false;
      const adjacency = nextHops.adjacencyOf(groups.nextHop(group));
      members = this.#addAdjacency(adjacency, bandwidth, members);
    }
    // Where one path does not say, nobody knows its share: all get the same.
    if (!isWeighted || !toShares(this.#bandwidths, members)) {
      return this.#sets.slotOf(this.#adjacencies, members);
    }
    return this.#sets.slotOf(this.#adjacencies, members, this.#bandwidths);
  }

  #bandwidthOf(group: number): number {
    const { attributes, groups } = this.#tables;
    const id = groups.attribute(group);
    const [bytes, from] = [attributes.bytes(id), attributes.offset(id)];
    return this.#bandwidthReader.read(bytes, from, attributes.length(id));
  }

  /**
   * Adds to the first `count` adjacencies, which are ascending, unless it is there: then the higher bandwidth counts.
   *
   * @returns The new count.
   */
  #addAdjacency(adjacency: number, bandwidth: number, count: number): number {
    const [adjacencies, bandwidths] = [this.#adjacencies, this.#bandwidths];
    let at = count;
    while (at > 0 && (adjacencies[at - 1] ?? 0) > adjacency) at -= 1;
    if (at > 0 && adjacencies[at - 1] === adjacency) {
      bandwidths[at - 1] = Math.max(bandwidths[at - 1] ?? 0, bandwidth);
      return count;
    }
    for (let i = count; i > at; i -= 1) {
      adjacencies[i] = adjacencies[i - 1] ?? 0;
      bandwidths[i] = bandwidths[i - 1] ?? 0;
    }
    adjacencies[at] = adjacency;
    bandwidths[at] = bandwidth;
    return count + 1;
  }

  #setBest(prefix: number, best: number): void {
    const { groups, prefixes, states } = this.#tables;
    const before = states.best(prefix);
    if (best === before) return;
    if (best !== 0) groups.addToBestCount(best, 1);
    if (before === 0) prefixes.hold(prefix);
    states.setBest(prefix, best);
    const batch = this.#batch;
    batch.prefixes[batch.count] = prefix;
    batch.before[batch.count] = before;
    batch.best[batch.count] = best;
    batch.count += 1;
  }

  /** Lets go of what was held for the former best paths while others were told. */
  #releaseFormer(): void {
    const { count, prefixes, before, best } = this.#batch;
    let left = 0;
    for (let i = 0; i < count; i += 1) {
      const group = before[i] ?? 0;
      if (group === 0) continue;
      this.#tables.releaseBest(group);
      if (best[i] !== 0) continue;
      prefixes[left] = prefixes[i] ?? 0;
      left += 1;
    }
    this.#tables.prefixes.releaseAll(prefixes, left);
  }
}
