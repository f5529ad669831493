import type { AsPathField } from '../wire/as-path.ts';
import { NO_NEXT_HOP } from './next-hops.ts';
import { GroupFlag } from './path-groups.ts';
import type { RibTables } from './rib-tables.ts';

/** What the groups of a session have in common. */
export interface GroupOrigin {
  /** {@link GroupFlag}s: `Originated`, `Ebgp`. */
  readonly flags: number;
  readonly routerId: number;
  /** Our AS numbers as an AS_PATH may show them. */
  readonly countOwnAs: (asPath: AsPathField) => number;
}

/**
 * The routes of one family from one peer. RFC 4271 section 3.2.
 *
 * Each session of the peer is a generation. When a session ends, its groups become stale or dead as a whole, by
 * moving a ring: nothing is done per route then. Dead ones are no longer eligible and are removed in slices.
 */
export class AdjRibIn {
  /** Accepted paths, and of them stale. */
  received = 0;
  stale = 0;
  /** Next hop of the last announcement: mostly that of the next one, too. */
  lastNextHop = NO_NEXT_HOP;
  readonly #tables: RibTables;
  readonly #peer: number;
  #generation = 1;
  /** The peer is sending everything again. */
  #isRefreshing = false;
  readonly #current: number;
  readonly #staleRing: number;
  readonly #dead: number;

  /** @param peer Slot. */
  constructor(tables: RibTables, peer: number) {
    const { groups } = tables;
    this.#tables = tables;
    this.#peer = peer;
    this.#current = groups.createRing(groups.ofPeer);
    this.#staleRing = groups.createRing(groups.ofPeer);
    this.#dead = groups.createRing(groups.ofPeer);
    tables.keepFrom.set(peer, this.#generation);
  }

  /** The group of newly received paths. Takes over one reference to the attribute set. */
  group(attribute: number, nextHop: number, origin: GroupOrigin): number {
    const tables = this.#tables;
    const { groups, attributes, nextHops, summary } = tables;
    const key = { peer: this.#peer, generation: this.#generation, attribute, nextHop };
    const found = groups.find(key);
    if (found !== 0) {
      attributes.release(attribute);
      return found;
    }
    summary.read(
      attributes.bytes(attribute),
      attributes.offset(attribute),
      attributes.length(attribute),
    );
    const group = groups.create(key, summary, {
      flags: origin.flags | (tables.isReflectionLoop(summary) ? GroupFlag.ReflectionLoop : 0),
      routerId: origin.routerId,
      ownAsCount: origin.countOwnAs(summary.asPath),
    });
    groups.ofPeer.add(this.#current, group);
    nextHops.retain(nextHop);
    groups.ofNextHop.add(nextHops.ringOf(nextHop), group);
    tables.refreshRefusal(group);
    return group;
  }

  /**
   * The peer announced the first `count` prefixes with what the group stands for.
   *
   * @param prefixes Comes back in another order.
   */
  announce(prefixes: Int32Array, count: number, group: number): void {
    const tables = this.#tables;
    const others = tables.paths.addFirst(prefixes, count, group);
    let joined = count - others;
    for (let i = 0; i < others; i += 1) {
      const prefix = prefixes[i] ?? 0;
      const path = tables.paths.fromPeer(prefix, this.#peer);
      if (path === 0) tables.paths.add(prefix, group);
      else {
        const before = tables.paths.group(path);
        if (before === group) continue;
        this.#count(before, -1);
        tables.movePath(path, group);
      }
      joined += 1;
    }
    this.#count(group, joined);
  }

  /** The peer took the first `count` prefixes back, 0 apart. */
  withdraw(prefixes: Int32Array, count: number): void {
    for (let i = 0; i < count; i += 1) {
      const prefix = prefixes[i] ?? 0;
      if (prefix !== 0) this.#tables.states.ensure(prefix);
      const path = prefix === 0 ? 0 : this.#tables.paths.fromPeer(prefix, this.#peer);
      if (path !== 0) this.#remove(path);
    }
  }

  /**
   * The session ended. What was stale already is dropped (RFC 4724 section 4.2); the rest becomes stale.
   *
   * @param retain Otherwise it is dropped too.
   */
  end(retain: boolean): void {
    const { groups, peerSweep, keepFrom } = this.#tables;
    const wasSwept = [peerSweep.cancel(this.#current), peerSweep.cancel(this.#staleRing)];
    // What a refresh has not come to yet is as good as what it has.
    const keepsStale = retain && this.#isRefreshing;
    this.#isRefreshing = false;
    if (!keepsStale) groups.ofPeer.moveAll(this.#staleRing, this.#dead);
    groups.ofPeer.moveAll(this.#current, retain ? this.#staleRing : this.#dead);
    if (!keepsStale) this.received = retain ? this.received - this.stale : 0;
    this.stale = this.received;
    if (!keepsStale) keepFrom.set(this.#peer, retain ? this.#generation : this.#generation + 1);
    this.#generation += 1;
    if (wasSwept.includes(true)) peerSweep.request(this.#staleRing);
  }

  /** The peer sends everything again: what is here is stale until it has. RFC 7313 section 4. */
  beginRefresh(): void {
    const { groups, peerSweep } = this.#tables;
    const wasSwept = [peerSweep.cancel(this.#current), peerSweep.cancel(this.#staleRing)];
    groups.ofPeer.moveAll(this.#current, this.#staleRing);
    this.stale = this.received;
    this.#generation += 1;
    this.#isRefreshing = true;
    if (wasSwept.includes(true)) peerSweep.request(this.#staleRing);
  }

  /** Drops what is still stale. */
  flushStale(): void {
    this.#isRefreshing = false;
    const { groups, peerSweep, keepFrom } = this.#tables;
    peerSweep.cancel(this.#staleRing);
    groups.ofPeer.moveAll(this.#staleRing, this.#dead);
    keepFrom.set(this.#peer, this.#generation);
    this.received -= this.stale;
    this.stale = 0;
  }

  /** Whether paths of dead groups are left to {@link flush}. */
  get hasDead(): boolean {
    return !this.#tables.groups.ofPeer.isEmpty(this.#dead);
  }

  /** Removes dead paths. @returns Units used. */
  flush(units: number): number {
    const { groups } = this.#tables;
    let used = 0;
    while (used < units && this.hasDead) {
      this.#remove(groups.firstPath(groups.ofPeer.first(this.#dead)));
      used += 1;
    }
    return used;
  }

  /** Applies import rules that changed to what is there. */
  reconsider(): void {
    this.#tables.peerSweep.request(this.#current);
    this.#tables.peerSweep.request(this.#staleRing);
  }

  /** Import rules begin or cease to refuse a group. */
  refusalChanged(group: number): void {
    const { groups } = this.#tables;
    const paths = groups.pathCount(group);
    const change = groups.has(group, GroupFlag.Refused) ? -paths : paths;
    this.#add(groups.generation(group), change);
  }

  /** Whether the paths of a group are from an earlier session. */
  isStale(group: number): boolean {
    return this.#tables.groups.generation(group) < this.#generation;
  }

  #remove(path: number): void {
    this.#count(this.#tables.paths.group(path), -1);
    this.#tables.removePath(path);
  }

  #count(group: number, change: number): void {
    const { groups } = this.#tables;
    if (!groups.has(group, GroupFlag.Refused)) this.#add(groups.generation(group), change);
  }

  #add(generation: number, change: number): void {
    if (generation < this.#tables.keepFrom.get(this.#peer)) return;
    this.received += change;
    if (generation < this.#generation) this.stale += change;
  }
}
