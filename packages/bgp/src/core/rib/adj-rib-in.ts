import type { AsPathField } from '../wire/as-path.ts';
import type { ImportPolicy, Judgement } from './import-policy.ts';
import { NO_NEXT_HOP } from './next-hops.ts';
import { PathCount } from './path-count.ts';
import { GroupFlag, type GroupKey } from './path-groups.ts';
import type { RibTables } from './rib-tables.ts';
import { AS_RECEIVED } from './treatments.ts';

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
  readonly accepted = new PathCount();
  /** What import rules refuse; it is kept for when they change. */
  readonly filtered = new PathCount();
  /** `undefined`: everything is accepted as it comes. */
  policy: ImportPolicy | undefined;
  /** Next hop of the last announcement: mostly that of the next one, too. */
  lastNextHop = NO_NEXT_HOP;
  readonly #tables: RibTables;
  readonly #peer: number;
  #generation = 1;
  /** The peer is sending everything again. */
  #isRefreshing = false;
  /** What is stale has become a last choice. RFC 9494. */
  #isLongLived = false;
  /** The session has path identifiers. RFC 7911. */
  #isIdentified = false;
  /**
   * Paths of earlier generations than this came over a session that had path identifiers where this one has none, or
   * the other way round. They go when the peer says something of their prefix, like all that is stale at the latest.
   */
  #foreignBefore = 0;
  readonly #current: number;
  readonly #staleRing: number;
  readonly #dead: number;
  /** Of the group whose paths are being looked at anew. */
  #judgement: Judgement = AS_RECEIVED;
  #isToggled = false;
  /** Of that group, too: see {@link #longLivedMarkOf}. */
  #longLivedMark: boolean | undefined;
  #isNew = false;

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

  /** What the policy says of routes with an attribute set, as received, and a next hop. */
  judge(policy: ImportPolicy, attribute: number, nextHop: number, isEbgp: boolean): Judgement {
    const session = { isEbgp, isLearned: true };
    return policy.judge(this.#tables.routeFacts(attribute, nextHop, session, policy));
  }

  /**
   * The group of newly received paths. Takes over one reference to the attribute set.
   *
   * @param attribute As received.
   * @param nextHop As received.
   * @param treatment Of the import policy.
   */
  group(
    attribute: number,
    nextHop: number,
    origin: GroupOrigin,
    treatment: number = AS_RECEIVED,
  ): number {
    const generation = this.#generation;
    const key = {
      peer: this.#peer,
      generation,
      received: attribute,
      receivedNextHop: nextHop,
      treatment,
    };
    const group = this.#groupOf(key, origin);
    if (!this.#isNew) this.#tables.attributes.release(attribute);
    return group;
  }

  /** A session comes up. @param isIdentified Whether the peer gives path identifiers. RFC 7911. */
  begin(isIdentified: boolean): void {
    if (isIdentified !== this.#isIdentified) this.#foreignBefore = this.#generation;
    this.#isIdentified = isIdentified;
    this.#endMixture();
  }

  /** The session has path identifiers. */
  get isIdentified(): boolean {
    return this.#isIdentified;
  }

  /**
   * The peer announced the first `count` prefixes with what the group stands for.
   *
   * @param prefixes Comes back in another order.
   * @param identifiers Of the paths, if the session has them.
   */
  announce(prefixes: Int32Array, count: number, group: number, identifiers?: Int32Array): void {
    const tables = this.#tables;
    if (identifiers || this.#foreignBefore > 0) {
      for (let i = 0; i < count; i += 1) {
        this.#announceOne(prefixes[i] ?? 0, identifiers?.[i] ?? 0, group);
      }
      return;
    }
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

  /**
   * The peer took the first `count` prefixes back, 0 apart.
   *
   * @param identifiers Of the paths, if the session has them.
   */
  withdraw(prefixes: Int32Array, count: number, identifiers?: Int32Array): void {
    const { paths, states } = this.#tables;
    const isPlain = !identifiers && this.#foreignBefore === 0;
    for (let i = 0; i < count; i += 1) {
      const prefix = prefixes[i] ?? 0;
      if (prefix === 0) continue;
      states.ensure(prefix);
      const path = isPlain
        ? paths.fromPeer(prefix, this.#peer)
        : paths.identified(prefix, this.#peer, identifiers?.[i] ?? 0);
      if (path !== 0) this.#remove(path);
      if (this.#foreignBefore > 0) this.#dropForeign(prefix);
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
    // What is long-lived has its time, however often the session comes and goes meanwhile: RFC 9494 section 4.2.
    const keepsStale = retain && (this.#isRefreshing || this.#isLongLived);
    this.#isRefreshing = false;
    this.#isLongLived &&= retain;
    if (!keepsStale) groups.ofPeer.moveAll(this.#staleRing, this.#dead);
    groups.ofPeer.moveAll(this.#current, retain ? this.#staleRing : this.#dead);
    this.accepted.end(retain, keepsStale);
    this.filtered.end(retain, keepsStale);
    if (!keepsStale) keepFrom.set(this.#peer, retain ? this.#generation : this.#generation + 1);
    this.#generation += 1;
    if (wasSwept.includes(true) || this.#isLongLived) peerSweep.request(this.#staleRing);
  }

  /** Makes what is stale a last choice, in slices: its peer is long gone. RFC 9494 section 4.2. */
  beginLongLived(): void {
    this.#isLongLived = true;
    this.#tables.peerSweep.request(this.#staleRing);
  }

  /** The peer sends everything again: what is here is stale until it has. RFC 7313 section 4. */
  beginRefresh(): void {
    const { groups, peerSweep } = this.#tables;
    const wasSwept = [peerSweep.cancel(this.#current), peerSweep.cancel(this.#staleRing)];
    groups.ofPeer.moveAll(this.#current, this.#staleRing);
    this.accepted.stale = this.accepted.all;
    this.filtered.stale = this.filtered.all;
    this.#generation += 1;
    this.#isRefreshing = true;
    if (wasSwept.includes(true)) peerSweep.request(this.#staleRing);
  }

  /** Drops what is still stale. */
  flushStale(): void {
    this.#isRefreshing = false;
    this.#isLongLived = false;
    const { groups, peerSweep, keepFrom } = this.#tables;
    peerSweep.cancel(this.#staleRing);
    groups.ofPeer.moveAll(this.#staleRing, this.#dead);
    keepFrom.set(this.#peer, this.#generation);
    this.accepted.dropStale();
    this.filtered.dropStale();
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
    this.#endMixture();
    return used;
  }

  /** Takes over an import policy; what it treats otherwise follows in slices. */
  setPolicy(policy: ImportPolicy | undefined): void {
    if (policy?.id === this.policy?.id) return;
    this.policy = policy;
    this.reconsider();
  }

  /** Applies import rules that changed to what is there, in slices: soft reconfiguration. */
  reconsider(): void {
    this.#tables.peerSweep.request(this.#current);
    this.#tables.peerSweep.request(this.#staleRing);
  }

  /** Looks at a group anew; its paths follow. */
  reconsiderGroup(group: number): void {
    this.#isToggled = this.#tables.refreshRefusal(group);
    if (this.#isToggled) {
      const paths = this.#tables.groups.pathCount(group);
      const isRefused = this.#tables.groups.has(group, GroupFlag.Refused);
      this.#add(this.accepted, group, isRefused ? -paths : paths);
      this.#add(this.filtered, group, isRefused ? paths : -paths);
    }
    this.#judgement = this.#judge(group);
    this.#longLivedMark = this.#longLivedMarkOf(group);
  }

  /** Looks at a path of that group anew. */
  reconsiderPath(path: number): void {
    const tables = this.#tables;
    const prefix = tables.paths.prefix(path);
    if (this.#isToggled) tables.undecided.add(prefix);
    const treatment = this.#treatmentOf(prefix, this.#judgement);
    this.#treatAs(path, this.#treatmentInTime(treatment, this.#longLivedMark));
  }

  /** What the policy says of the path's prefix may have changed, while the policy has not. */
  revalidate(path: number): void {
    const { paths } = this.#tables;
    const group = paths.group(path);
    const treatment = this.#treatmentOf(paths.prefix(path), this.#judge(group));
    this.#treatAs(path, this.#treatmentInTime(treatment, this.#longLivedMarkOf(group)));
  }

  #treatAs(path: number, treatment: number): void {
    const tables = this.#tables;
    const group = tables.paths.group(path);
    if (treatment === tables.groups.treatment(group)) return;
    const other = this.#regrouped(group, treatment);
    if (other === group) return;
    this.#count(group, -1);
    tables.movePath(path, other);
    this.#count(other, 1);
  }

  /** Whether the paths of a group are from an earlier session. */
  isStale(group: number): boolean {
    return this.#tables.groups.generation(group) < this.#generation;
  }

  /** Of what is a last choice, whether the set received is marked NO_LLGR; `undefined`: it is none. */
  #longLivedMarkOf(group: number): boolean | undefined {
    if (!this.#isLongLived || !this.isStale(group)) return undefined;
    this.#tables.summarise(this.#tables.groups.received(group));
    return this.#tables.summary.noLongLived;
  }

  #treatmentInTime(treatment: number, longLivedMark: boolean | undefined): number {
    const { treatments } = this.#tables;
    return longLivedMark === undefined ? treatment : treatments.longLived(treatment, longLivedMark);
  }

  #judge(group: number): Judgement {
    const { policy } = this;
    const { groups } = this.#tables;
    const isEbgp = groups.has(group, GroupFlag.Ebgp);
    return policy
      ? this.judge(policy, groups.received(group), groups.receivedNextHop(group), isEbgp)
      : AS_RECEIVED;
  }

  #treatmentOf(prefix: number, judgement: Judgement): number {
    if (typeof judgement === 'number') return judgement;
    const { prefixes, words } = this.#tables;
    prefixes.readWords(prefix, words, 0);
    return judgement.treatment(words, 0, prefixes.length(prefix));
  }

  /** The group of paths of `group` that are to be treated otherwise. */
  #regrouped(group: number, treatment: number): number {
    const { groups, attributes } = this.#tables;
    const received = groups.received(group);
    const [generation, receivedNextHop] = [groups.generation(group), groups.receivedNextHop(group)];
    const key = { peer: this.#peer, generation, received, receivedNextHop, treatment };
    const other = this.#groupOf(key, {
      flags: groups.flags(group) & (GroupFlag.Originated | GroupFlag.Ebgp | GroupFlag.Discard),
      routerId: groups.routerId(group),
      countOwnAs: () => groups.ownAsCount(group),
    });
    if (this.#isNew) attributes.retain(received);
    return other;
  }

  /** The group of a key. {@link #isNew}: it was made, and has taken over a reference to the set received. */
  #groupOf(key: GroupKey, origin: GroupOrigin): number {
    const { groups, nextHops, summary } = this.#tables;
    const found = groups.find(key);
    this.#isNew = found === 0;
    if (found !== 0) return found;
    const attribute = this.#tables.acceptedSet(key.received, key.treatment);
    if (attribute === 0) {
      return this.#groupOf({ ...key, treatment: this.#tables.treatments.tooLong }, origin);
    }
    this.#tables.summarise(key.received);
    const ownAsCount = origin.countOwnAs(summary.asPath);
    const isLoop = this.#tables.isReflectionLoop(summary);
    if (attribute !== key.received) this.#tables.summarise(attribute);
    const { routerId } = origin;
    const flags = origin.flags | (isLoop ? GroupFlag.ReflectionLoop : 0);
    const nextHop = this.#tables.acceptedNextHop(key.receivedNextHop, key.treatment);
    const facts = { attribute, nextHop, flags, routerId, ownAsCount };
    const group = groups.create(key, summary, facts);
    const isCurrent = key.generation === this.#generation;
    groups.ofPeer.add(isCurrent ? this.#current : this.#staleRing, group);
    nextHops.retain(nextHop);
    if (nextHop !== key.receivedNextHop) nextHops.retain(key.receivedNextHop);
    groups.ofNextHop.add(nextHops.ringOf(nextHop), group);
    this.#tables.refreshRefusal(group);
    return group;
  }

  #announceOne(prefix: number, identifier: number, group: number): void {
    const tables = this.#tables;
    tables.states.ensure(prefix);
    const path = tables.paths.identified(prefix, this.#peer, identifier);
    const before = path === 0 ? 0 : tables.paths.group(path);
    if (path === 0) tables.paths.add(prefix, group, identifier);
    else if (before !== group) {
      this.#count(before, -1);
      tables.movePath(path, group);
    }
    if (before !== group) this.#count(group, 1);
    if (this.#foreignBefore > 0) this.#dropForeign(prefix);
  }

  /** Removes what is left of a prefix from sessions that named paths otherwise. */
  #dropForeign(prefix: number): void {
    const { groups, paths } = this.#tables;
    let path = paths.first(prefix);
    while (path !== 0) {
      const group = paths.group(path);
      const following = paths.following(path);
      const isForeign = groups.generation(group) < this.#foreignBefore;
      if (isForeign && groups.peer(group) === this.#peer) this.#remove(path);
      path = following;
    }
  }

  /** Nothing is left from earlier sessions. */
  #endMixture(): void {
    const { ofPeer } = this.#tables.groups;
    if (ofPeer.isEmpty(this.#dead) && ofPeer.isEmpty(this.#staleRing)) this.#foreignBefore = 0;
  }

  #remove(path: number): void {
    this.#count(this.#tables.paths.group(path), -1);
    this.#tables.removePath(path);
  }

  #count(group: number, change: number): void {
    const isRefused = this.#tables.groups.has(group, GroupFlag.Refused);
    this.#add(isRefused ? this.filtered : this.accepted, group, change);
  }

  #add(count: PathCount, group: number, change: number): void {
    const generation = this.#tables.groups.generation(group);
    if (generation < this.#tables.keepFrom.get(this.#peer)) return;
    count.add(change, generation < this.#generation);
  }
}
