import { type Family, type Prefix, prefixBytes } from '@overland/net';
import { NlriList } from '../wire/nlri.ts';
import { AddPathOut } from './add-path-out.ts';
import { AdjRibIn } from './adj-rib-in.ts';
import { AdjRibOut } from './adj-rib-out.ts';
import { type AggregateEvents, Aggregates } from './aggregates.ts';
import type { MultipathRule, PeerOrder } from './decision.ts';
import type { EgressClass } from './egress-class.ts';
import type { FamilyStatistics } from './engine-statistics.ts';
import { FibStream } from './fib-stream.ts';
import type { Links } from './links.ts';
import { type BestWatcher, type DecisionWatcher, LocRib } from './loc-rib.ts';
import type { NextHopSets } from './next-hop-sets.ts';
import { Revalidation } from './revalidation.ts';
import type { Recipient, RibOut } from './rib-out.ts';
import {
  type PathWatcher,
  type ReflectorIds,
  RibTables,
  type TablesInCommon,
} from './rib-tables.ts';

/** What a {@link FamilyRib} has from its engine. */
export interface FamilyRibOptions {
  readonly sets: NextHopSets;
  readonly peers: PeerOrder;
  readonly links: Links;
  readonly aggregateEvents: Pick<AggregateEvents, 'announce' | 'withdraw'>;
}

/** What holds prefixes, and is to let go of them. */
export type Releasing = Pick<RibOut, 'release' | 'isReleased'>;

/** All routes of one family: what came in, what was chosen, what goes out, and the work that is left between. */
export class FamilyRib {
  readonly family: Family;
  readonly tables: RibTables;
  readonly locRib: LocRib;
  readonly fib: FibStream;
  readonly aggregates: Aggregates;
  /** Of prefixes whose VRPs have changed. */
  readonly revalidation: Revalidation;
  /** By peer slot. */
  readonly #adjRibIns: (AdjRibIn | undefined)[] = [];
  /** Of sessions that ended, until they have let go of everything. */
  readonly #released: Releasing[] = [];
  readonly #outs: RibOut[] = [];
  /** The next hop to resolve next, of those that there are; beyond the highest: none. */
  #nextHopAt = 1;
  /** Of the prefixes to decide again, the next and the last. */
  #prefixAt = 1;
  #prefixEnd = 0;

  constructor(shared: TablesInCommon, { sets, peers, links, aggregateEvents }: FamilyRibOptions) {
    this.family = shared.prefixes.family;
    const ofGroup = (group: number) => this.adjRibIn(this.tables.groups.peer(group));
    this.tables = new RibTables(shared, sets, links, {
      group: (group) => ofGroup(group).reconsiderGroup(group),
      path: (path) => ofGroup(this.tables.paths.group(path)).reconsiderPath(path),
    });
    this.fib = new FibStream(shared.prefixes, this.tables.states, sets);
    this.locRib = new LocRib(this.tables, { sets, fib: this.fib }, peers);
    this.aggregates = new Aggregates(this.tables, {
      ...aggregateEvents,
      summariesChanged: () => {
        for (const out of this.#outs) out.reconsider();
      },
    });
    this.locRib.aggregates = this.aggregates;
    this.revalidation = new Revalidation({
      tables: this.tables,
      adjRibIn: (peer) => this.adjRibIn(peer),
      adjRibIns: () => this.#adjRibIns,
      outs: () => this.#outs,
    });
  }

  /** What came from a peer. @param peer Slot. */
  adjRibIn(peer: number): AdjRibIn {
    const found = this.#adjRibIns[peer];
    if (found) return found;
    const created = new AdjRibIn(this.tables, peer);
    this.#adjRibIns[peer] = created;
    return created;
  }

  /** Interfaces changed: every next hop is resolved again. */
  setLinks(links: Links): void {
    this.tables.links = links;
    this.#nextHopAt = 1;
  }

  /** Takes over how many paths may share the load; if that changes, every prefix is decided again. */
  setMultipath(rule: MultipathRule): void {
    const { decision } = this.locRib;
    const { maxPaths, relaxAsPath, linkBandwidth = false } = decision.multipath;
    const isSame = rule.maxPaths === maxPaths && rule.relaxAsPath === relaxAsPath;
    if (isSame && (rule.linkBandwidth ?? false) === linkBandwidth) return;
    decision.multipath = rule;
    this.#prefixAt = 1;
    this.#prefixEnd = this.tables.highestPrefix();
  }

  /** Takes over who we are to other reflectors; what they sent is looked at again if that changes. */
  setReflector(ids: ReflectorIds): void {
    const { routerId, clusterId } = this.tables.reflector;
    if (ids.routerId === routerId && ids.clusterId === clusterId) return;
    this.tables.reflector = ids;
    for (const rib of this.#adjRibIns) rib?.reconsider();
  }

  /** Takes over whether a peer is a client; others may then have more or less of its routes. @param peer Slot. */
  setClient(peer: number, isClient: boolean): void {
    const { tables } = this;
    if (isClient === tables.isClient(peer)) return;
    tables.clients.set(peer, isClient ? 1 : 0);
    if (this.adjRibIn(peer).accepted.all === 0) return;
    for (const out of this.#outs) out.reconsider();
  }

  /** Takes over whether peers hear of a prefix only when the kernel has it. */
  suppressFibPending(isOn: boolean): void {
    const wasOn = this.fib.awaited !== undefined;
    this.fib.suppressPending(isOn);
    this.tables.awaited = this.fib.awaited;
    if (wasOn && !isOn) for (const out of this.#outs) out.reconsider();
  }

  /** The id of a prefix; 0 if nobody holds it. */
  idOf(prefix: Prefix): number {
    const { octets, length } = prefixBytes(prefix);
    const [list, ids] = [new NlriList(1), new Int32Array(1)];
    list.readOne(this.family, octets, length);
    this.tables.prefixes.findAll(list, ids);
    return ids[0] ?? 0;
  }

  /** The Adj-RIB-Out of a session that comes up. */
  openOut(egress: EgressClass, recipient: Recipient): RibOut {
    const { tables, locRib } = this;
    if (egress.key.addPath === undefined) {
      const out = new AdjRibOut(tables, locRib, egress, recipient);
      locRib.outs.push(out);
      this.#outs.push(out);
      return out;
    }
    const out = new AddPathOut(tables, locRib.ranking, egress, recipient);
    locRib.pathOuts.push(out);
    tables.pathWatchers.push(out);
    this.#outs.push(out);
    return out;
  }

  removeOut(out: RibOut): void {
    removeFrom(this.#outs, out);
    if (out instanceof AddPathOut) {
      removeFrom(this.locRib.pathOuts, out);
      removeFrom(this.tables.pathWatchers, out);
    } else removeFrom<unknown>(this.locRib.outs, out);
    this.#released.push(out);
  }

  /** Of what is no more: lets go of what it holds, in slices. */
  releaseLater(gone: Releasing): void {
    this.#released.push(gone);
  }

  /** Tells somebody of every path that moves, leaves or was decided. */
  watchPaths(watcher: PathWatcher & DecisionWatcher): void {
    this.locRib.pathOuts.push(watcher);
    this.tables.pathWatchers.push(watcher);
  }

  unwatchPaths(watcher: PathWatcher & DecisionWatcher): void {
    removeFrom<DecisionWatcher>(this.locRib.pathOuts, watcher);
    removeFrom<PathWatcher>(this.tables.pathWatchers, watcher);
  }

  /** Tells somebody of every best path that changes. */
  watchBest(watcher: BestWatcher): void {
    this.locRib.outs.push(watcher);
  }

  unwatchBest(watcher: BestWatcher): void {
    removeFrom(this.locRib.outs, watcher);
  }

  /** Whether every route that is known is in the Loc-RIB. */
  get isDecided(): boolean {
    return (
      this.tables.undecided.size === 0 &&
      this.tables.nextHopSweep.isIdle &&
      this.tables.peerSweep.isIdle &&
      this.revalidation.isIdle &&
      this.aggregates.isIdle &&
      this.#nextHopAt > this.tables.nextHops.highest &&
      this.#prefixAt > this.#prefixEnd &&
      !this.#adjRibIns.some((rib) => rib?.hasDead)
    );
  }

  get statistics(): FamilyStatistics {
    const { tables, locRib, fib } = this;
    return {
      prefixes: tables.prefixes.size,
      paths: tables.paths.size,
      nextHops: tables.nextHops.size,
      decisions: locRib.decisions,
      bestChanges: locRib.bestChanges,
      undecided: tables.undecided.size,
      pendingKernelRoutes: fib.pending,
    };
  }

  get hasWork(): boolean {
    if (!this.isDecided || this.#released.length > 0) return true;
    if (this.fib.awaited?.hasArrived) return true;
    for (const out of this.#outs) if (out.isPassing) return true;
    return false;
  }

  /** @returns Units used. */
  step(units: number): number {
    // A part for what finds changes, most for deciding them, and the rest for either: neither starves.
    let used = this.#findChanges(Math.ceil(units / 4));
    used += this.locRib.step(units - used);
    used += this.aggregates.step(units - used);
    if (used < units) used += this.#findChanges(units - used);
    if (this.isDecided && this.fib.isAnswered) for (const out of this.#outs) out.settle();
    return used;
  }

  #findChanges(units: number): number {
    let used = this.#resolveNextHops(units);
    used += this.tables.nextHopSweep.step(units - used);
    used += this.tables.peerSweep.step(units - used);
    used += this.revalidation.step(Math.max(0, units - used));
    for (const rib of this.#adjRibIns) {
      if (used >= units) return used;
      if (rib?.hasDead) used += rib.flush(units - used);
    }
    used += this.#redecide(units - used);
    used += this.#tellArrived(units - used);
    for (const out of this.#outs) {
      if (used < units && out.isPassing) used += out.step(units - used);
    }
    return used + this.#release(units - used);
  }

  #resolveNextHops(units: number): number {
    const { nextHops, nextHopSweep } = this.tables;
    let used = 0;
    for (; used < units && this.#nextHopAt <= nextHops.highest; used += 1, this.#nextHopAt += 1) {
      if (nextHops.refresh(this.#nextHopAt, this.tables.links)) {
        nextHopSweep.request(nextHops.ringOf(this.#nextHopAt));
      }
    }
    return used;
  }

  #redecide(units: number): number {
    const { paths, undecided } = this.tables;
    let used = 0;
    for (; used < units && this.#prefixAt <= this.#prefixEnd; used += 1, this.#prefixAt += 1) {
      if (paths.first(this.#prefixAt) !== 0) undecided.add(this.#prefixAt);
    }
    return used;
  }

  /** Peers may hear of what the kernel has by now. */
  #tellArrived(units: number): number {
    const { awaited } = this.fib;
    let used = 0;
    for (; awaited?.hasArrived && used < units; used += 1 + this.#outs.length) {
      const prefix = awaited.next();
      for (const out of this.#outs) out.reconsiderPrefix(prefix);
    }
    return used;
  }

  #release(units: number): number {
    let used = 0;
    while (used < units) {
      const out = this.#released.at(-1);
      if (!out) break;
      used += out.release(units - used) + 1;
      if (out.isReleased) this.#released.pop();
    }
    return used;
  }
}

function removeFrom<T>(list: T[], member: T): void {
  const at = list.indexOf(member);
  if (at >= 0) list.splice(at, 1);
}
