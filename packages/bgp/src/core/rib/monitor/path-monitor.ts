import type { FamilyRib } from '../family-rib.ts';
import { IdSet } from '../memory/id-set.ts';
import { GroupFlag } from '../path-groups.ts';
import type { PeerId } from '../route-engine.ts';
import { MonitoredUpdate } from './monitored-update.ts';
import { MAX_SKIPS, type RibMonitor } from './rib-monitor.ts';

/** What the monitor is told about peers. */
export interface MonitoredPeers {
  /** Whether the peer has sent End-of-RIB of the family. @param slot Of the peer. */
  hasEndedRib(slot: number): boolean;
}

interface LivePeer {
  readonly pathIds: boolean;
  owesEndOfRib: boolean;
}

/** Of a withdrawal: the prefix, which is held, the slot of the peer, the path identifier. */
type Withdrawal = readonly [prefix: number, slot: number, pathId: number];

/**
 * What is in the Adj-RIBs-In, before or after import rules: two bits per path. A path is pending once however often it
 * changed, and messages are packed from what is there when the station has room: a slow one costs nobody memory.
 */
export class PathMonitor implements RibMonitor {
  readonly rib: 'pre-policy' | 'post-policy';
  peer: PeerId | undefined;
  readonly #family: FamilyRib;
  readonly #source: MonitoredPeers;
  readonly #update: MonitoredUpdate;
  readonly #announced = new IdSet();
  readonly #pending = new IdSet();
  readonly #withdrawn: Withdrawal[] = [];
  /** By slot; a hole: its session is not up, or not told. */
  readonly #peers: (LivePeer | undefined)[] = [];
  /** Peers whose paths are told by the pass again: they were kept while the session was down. */
  readonly #again = new Set<number>();
  #passAt = 1;
  #passEnd: number;

  constructor(rib: 'pre-policy' | 'post-policy', family: FamilyRib, source: MonitoredPeers) {
    this.rib = rib;
    this.#family = family;
    this.#source = source;
    this.#update = new MonitoredUpdate(family.tables);
    this.#passEnd = family.tables.highestPrefix();
    family.watchPaths(this);
  }

  get hasWork(): boolean {
    return (
      this.#isPassing ||
      this.#pending.size > 0 ||
      this.#withdrawn.length > 0 ||
      this.#endOfRibDue() !== 0
    );
  }

  peerUp(peer: PeerId, pathIds: boolean): void {
    const slot = peer + 1;
    this.#peers[slot] = { pathIds, owesEndOfRib: true };
    this.#again.add(slot);
    this.#passAt = 1;
    this.#passEnd = this.#family.tables.highestPrefix();
  }

  peerDown(peer: PeerId): void {
    this.#peers[peer + 1] = undefined;
    this.#again.delete(peer + 1);
  }

  step(units: number): void {
    const { paths, groups } = this.#family.tables;
    for (let used = 0; used < units && this.#isPassing; used += 1, this.#passAt += 1) {
      let path = paths.first(this.#passAt);
      for (; path !== 0; path = paths.following(path)) {
        const isTold =
          this.#announced.has(path) && !this.#again.has(groups.peer(paths.group(path)));
        if (!isTold && this.#isWanted(path)) this.#pending.add(path);
      }
    }
    if (!this.#isPassing) this.#again.clear();
  }

  /** Paths of a prefix have been decided: some may be new, or refused now, or no longer. */
  decided(prefix: number): void {
    const { paths } = this.#family.tables;
    for (let path = paths.first(prefix); path !== 0; path = paths.following(path)) {
      if (!this.#isWanted(path)) {
        this.#pending.delete(path);
        this.#withdraw(path);
      } else if (!this.#announced.has(path)) this.#pending.add(path);
    }
  }

  pathMoves(path: number, group: number): void {
    const { groups, paths } = this.#family.tables;
    const before = paths.group(path);
    if (!this.#announced.has(path)) return;
    const isSame =
      this.#attributeOf(before) === this.#attributeOf(group) &&
      this.#nextHopOf(before) === this.#nextHopOf(group) &&
      groups.generation(before) === groups.generation(group);
    if (!isSame) this.#pending.add(path);
  }

  pathLeaves(path: number): void {
    this.#pending.delete(path);
    this.#withdraw(path);
  }

  next(target: Uint8Array, offset: number): number {
    return (
      this.#packWithdrawals(target, offset) ||
      this.#packAnnouncements(target, offset) ||
      this.#packEndOfRib(target, offset)
    );
  }

  close(): void {
    this.#family.unwatchPaths(this);
    const { prefixes } = this.#family.tables;
    for (const [prefix] of this.#withdrawn) prefixes.release(prefix);
    this.#withdrawn.length = 0;
  }

  get #isPassing(): boolean {
    return this.#passAt <= this.#passEnd;
  }

  #attributeOf(group: number): number {
    const { groups } = this.#family.tables;
    return this.rib === 'pre-policy' ? groups.received(group) : groups.attribute(group);
  }

  #nextHopOf(group: number): number {
    const { groups } = this.#family.tables;
    return this.rib === 'pre-policy' ? groups.receivedNextHop(group) : groups.nextHop(group);
  }

  /** Whether a path is there, as far as the monitored RIB is concerned. */
  #isWanted(path: number): boolean {
    const { groups, keepFrom, paths } = this.#family.tables;
    const group = paths.group(path);
    const slot = groups.peer(group);
    const isRefused = this.rib === 'post-policy' && groups.has(group, GroupFlag.Refused);
    const isAlive = groups.generation(group) >= keepFrom.get(slot);
    return this.#peers[slot] !== undefined && isAlive && !isRefused;
  }

  #withdraw(path: number): void {
    if (!this.#announced.delete(path)) return;
    const { groups, paths, prefixes } = this.#family.tables;
    const slot = groups.peer(paths.group(path));
    // A session that is over took all its routes along.
    if (!this.#peers[slot]) return;
    const prefix = paths.prefix(path);
    prefixes.hold(prefix);
    this.#withdrawn.push([prefix, slot, paths.identifier(path)]);
  }

  #packWithdrawals(target: Uint8Array, offset: number): number {
    const { prefixes } = this.#family.tables;
    let slot = 0;
    for (let last = this.#withdrawn.at(-1); last; last = this.#withdrawn.at(-1)) {
      const [prefix, from, pathId] = last;
      const peer = this.#peers[from];
      if (peer && slot === 0) {
        slot = from;
        this.#update.hasPathIds = peer.pathIds;
        this.#update.beginWithdraw(target, offset);
      }
      if (peer && (from !== slot || !this.#update.hasRoom)) break;
      if (peer) this.#update.put(prefix, pathId);
      this.#withdrawn.pop();
      prefixes.release(prefix);
    }
    return slot === 0 ? 0 : this.#finish(slot);
  }

  #packAnnouncements(target: Uint8Array, offset: number): number {
    const { paths, groups } = this.#family.tables;
    let path = this.#pending.take();
    while (path !== 0 && !this.#isWanted(path)) path = this.#pending.take();
    if (path === 0) return 0;
    const group = paths.group(path);
    const slot = groups.peer(group);
    this.#update.hasPathIds = this.#peers[slot]?.pathIds ?? false;
    this.#update.beginAnnounce(target, offset, this.#attributeOf(group), this.#nextHopOf(group));
    this.#put(path);
    this.#packNeighbours(path, (at) => paths.newerInGroup(at));
    this.#packNeighbours(path, (at) => paths.olderInGroup(at));
    return this.#finish(slot);
  }

  #packNeighbours(path: number, beside: (path: number) => number): void {
    let skips = 0;
    for (let at = beside(path); at !== 0 && skips < MAX_SKIPS; at = beside(at)) {
      if (!this.#update.hasRoom) return;
      if (this.#pending.delete(at)) {
        this.#put(at);
        skips = 0;
      } else skips += 1;
    }
  }

  #put(path: number): void {
    const { paths } = this.#family.tables;
    this.#update.put(paths.prefix(path), paths.identifier(path));
    this.#announced.add(path);
  }

  #packEndOfRib(target: Uint8Array, offset: number): number {
    const slot = this.#endOfRibDue();
    const peer = this.#peers[slot];
    if (!peer) return 0;
    peer.owesEndOfRib = false;
    this.#update.beginWithdraw(target, offset);
    return this.#finish(slot);
  }

  /** A peer of which all that it sent at first has been told; 0: none. */
  #endOfRibDue(): number {
    if (this.#isPassing || this.#pending.size > 0 || this.#withdrawn.length > 0) return 0;
    if (!this.#family.isDecided) return 0;
    const due = this.#peers.findIndex(
      (peer, slot) => peer?.owesEndOfRib && this.#source.hasEndedRib(slot),
    );
    return Math.max(0, due);
  }

  #finish(slot: number): number {
    this.peer = slot - 1;
    return this.#update.finish();
  }
}
