import type { Family } from '@overland/net';
import { applyEdits, TOO_LONG } from '../policy/apply-edits.ts';
import type { CompiledPolicy, RouteFacts } from '../policy/compiled-policy.ts';
import { AttributeSummary } from '../wire/attribute-summary.ts';
import type { AttributeTable } from './attribute-table.ts';
import type { Links } from './links.ts';
import { Int32Column } from './memory/column.ts';
import { IdSet } from './memory/id-set.ts';
import type { NextHopSets } from './next-hop-sets.ts';
import { NextHops } from './next-hops.ts';
import { GroupFlag, PathGroups } from './path-groups.ts';
import { Paths } from './paths.ts';
import type { PrefixTable } from './prefix-table.ts';
import type { Refusal } from './refusal.ts';
import { RouteStates } from './route-states.ts';
import { Sweep } from './sweep.ts';
import { AS_RECEIVED, type Treatments } from './treatments.ts';

/** What the families and speakers of one thread have in common. */
export interface TablesInCommon {
  readonly prefixes: PrefixTable;
  readonly attributes: AttributeTable;
  readonly treatments: Treatments;
  /** For attribute sets that are being changed. */
  readonly edited: Uint8Array;
}

/** Looks at what a peer sent anew, each group before its paths. */
export interface Reconsider {
  readonly group: (group: number) => void;
  readonly path: (path: number) => void;
}

/** Who has given others paths by their numbers. */
export interface PathWatcher {
  /** The path is about to join another group. */
  pathMoves(path: number, group: number): void;
  /** The path is about to be removed. */
  pathLeaves(path: number): void;
}

const AS_PATH_LOOP: Refusal = { reason: 'as-path-loop' };

/** How a route reflector knows what it has seen before. */
export interface ReflectorIds {
  readonly routerId: number;
  readonly clusterId: number;
}

/** The tables of one family of one speaker, and what must stay true between them. */
export class RibTables {
  readonly family: Family;
  readonly prefixes: PrefixTable;
  readonly attributes: AttributeTable;
  readonly groups = new PathGroups();
  readonly states = new RouteStates();
  readonly paths: Paths;
  readonly nextHops: NextHops;
  /** Prefixes whose best path may have changed. */
  readonly undecided = new IdSet();
  /** By peer slot: groups of earlier generations than this are dead, flushed as time permits. */
  readonly keepFrom = new Int32Column();
  /** By peer slot: times our AS number may occur in a received AS_PATH. */
  readonly allowAsIn = new Int32Column();
  /** By peer slot: 1 for a client of this route reflector. */
  readonly clients = new Int32Column();
  /** What an iBGP peer may not send back to us. RFC 4456 section 8. */
  reflector: ReflectorIds = { routerId: 0, clusterId: 0 };
  readonly nextHopSweep: Sweep;
  /** Of what peers sent whose import rules changed. */
  readonly peerSweep: Sweep;
  readonly treatments: Treatments;
  links: Links;
  /** Prefixes that peers are not sent, because an aggregate says enough; `undefined`: there are none. */
  summaries: { suppresses(prefix: number): boolean } | undefined;
  /** Prefixes that peers are not sent yet, because the kernel does not have them; `undefined`: it does not matter. */
  awaited: { has(prefix: number): boolean } | undefined;
  /** Another number whenever routes, or anything that decides what peers are sent of them, may have changed. */
  epoch = 1;
  /** Words of an address. */
  readonly words = new Int32Array(4);
  /** Told of each group that is no more. */
  readonly groupWatchers = new Set<{ forget(group: number): void }>();
  /** Told of each path that changes, before it does. */
  readonly pathWatchers: PathWatcher[] = [];
  /** Of the set that was looked at last. */
  readonly summary = new AttributeSummary();
  readonly #edited: Uint8Array;

  /** @param reconsider Looks at what a peer sent anew. */
  constructor(shared: TablesInCommon, sets: NextHopSets, links: Links, reconsider: Reconsider) {
    const { prefixes, attributes } = shared;
    this.family = prefixes.family;
    this.prefixes = prefixes;
    this.attributes = attributes;
    this.links = links;
    this.treatments = shared.treatments;
    this.#edited = shared.edited;
    this.nextHops = new NextHops(this.groups, sets);
    const { groups, states, undecided } = this;
    const paths = new Paths({ groups, states, prefixes, undecided });
    this.paths = paths;
    this.nextHopSweep = new Sweep({
      groups,
      paths,
      rings: groups.ofNextHop,
      visitGroup: () => {},
      visitPath: (path) => void undecided.add(paths.prefix(path)),
    });
    this.peerSweep = new Sweep({
      groups,
      paths,
      rings: groups.ofPeer,
      visitGroup: (group) => {
        this.#refreshLoop(group);
        reconsider.group(group);
      },
      visitPath: reconsider.path,
    });
  }

  /** The bound for a loop over all prefixes: {@link states} has room for them. */
  highestPrefix(): number {
    const { highest } = this.prefixes;
    this.states.ensure(highest);
    return highest;
  }

  /**
   * The groups of a prefix that the decision process may consider, each once. Most of the time there are as many as
   * paths.
   *
   * @returns How many: the first ones of `into`.
   */
  eligibleGroups(prefix: number, into: number[]): number {
    const { paths } = this;
    const mayRepeat = paths.areIdentified;
    let count = 0;
    for (let path = paths.first(prefix); path !== 0; path = paths.following(path)) {
      const group = paths.group(path);
      if (!this.isEligible(group)) continue;
      if (mayRepeat && includes(into, count, group)) continue;
      into[count] = group;
      count += 1;
    }
    return count;
  }

  /** Whether the decision process may consider the paths of a group. RFC 4271 section 9.1.2. */
  isEligible(group: number): boolean {
    const { groups } = this;
    const nextHop = groups.nextHop(group);
    return (
      !groups.has(group, GroupFlag.Refused) &&
      groups.generation(group) >= this.keepFrom.get(groups.peer(group)) &&
      (nextHop === 0 || this.nextHops.adjacencyOf(nextHop) !== 0)
    );
  }

  /** Whether the peer is a client of this route reflector. @param peer Slot. */
  isClient(peer: number): boolean {
    return this.clients.get(peer) !== 0;
  }

  /** Whether a reflector has sent us what we, or our cluster, have seen before. RFC 4456 section 8. */
  isReflectionLoop(summary: AttributeSummary): boolean {
    const { routerId, clusterId } = this.reflector;
    return summary.originatorId === routerId || summary.hasCluster(clusterId);
  }

  /**
   * Applies the import rules to a group: too many of our own AS numbers in the path (RFC 4271 section 9.1.2), a loop
   * between reflectors, or a policy that refuses it.
   *
   * @returns Whether it is refused and was not, or the other way round.
   */
  refreshRefusal(group: number): boolean {
    const { groups } = this;
    const isRefused = this.refusalOf(group) !== undefined;
    if (isRefused === groups.has(group, GroupFlag.Refused)) return false;
    groups.toggle(group, GroupFlag.Refused);
    return true;
  }

  /** Why the paths of a group are refused; `undefined`: they are not. */
  refusalOf(group: number): Refusal | undefined {
    const { groups } = this;
    if (groups.ownAsCount(group) > this.allowAsIn.get(groups.peer(group))) return AS_PATH_LOOP;
    if (groups.has(group, GroupFlag.ReflectionLoop)) return this.#reflectionLoop(group);
    const treatment = groups.treatment(group);
    return treatment === AS_RECEIVED ? undefined : this.treatments.get(treatment).refusal;
  }

  /** What a policy may ask of the routes with an attribute set and a next hop. */
  routeFacts(
    attribute: number,
    nextHop: number,
    session: Pick<RouteFacts, 'isEbgp' | 'isLearned'>,
    policy: Pick<CompiledPolicy, 'needsNextHop' | 'needsInterface'>,
  ): RouteFacts {
    const { attributes, nextHops } = this;
    return {
      bytes: attributes.bytes(attribute),
      offset: attributes.offset(attribute),
      length: attributes.length(attribute),
      isEbgp: session.isEbgp,
      isLearned: session.isLearned,
      nextHop: policy.needsNextHop ? (nextHops.addressOf(nextHop) ?? undefined) : undefined,
      interface: policy.needsInterface ? nextHops.deviceOf(nextHop, this.links) : undefined,
    };
  }

  /**
   * The attribute set that a treatment makes of a received one, with one reference if it is another one; 0 if it
   * grows too long.
   */
  acceptedSet(received: number, treatment: number): number {
    const edits = treatment === AS_RECEIVED ? undefined : this.treatments.get(treatment).edits;
    if (!edits) return received;
    const { attributes } = this;
    const set = { offset: attributes.offset(received), length: attributes.length(received) };
    const length = applyEdits(attributes.bytes(received), set, edits, this.#edited);
    if (length === TOO_LONG) return 0;
    const accepted = attributes.intern(this.#edited, length);
    if (accepted === received) attributes.release(accepted);
    return accepted;
  }

  /** The next hop that a treatment makes of a received one; its references do not change. */
  acceptedNextHop(received: number, treatment: number): number {
    const edits = treatment === AS_RECEIVED ? undefined : this.treatments.get(treatment).edits;
    const address = edits?.nextHop;
    // Our own address is no way to anywhere: such a rule is for routes to peers.
    if (address === undefined || address === 'self') return received;
    return this.nextHops.replaced(received, address, this.links);
  }

  /** Reads an attribute set into {@link summary}. */
  summarise(attribute: number): void {
    const { attributes } = this;
    this.summary.read(
      attributes.bytes(attribute),
      attributes.offset(attribute),
      attributes.length(attribute),
    );
  }

  movePath(path: number, group: number): void {
    const before = this.paths.group(path);
    this.#announceLeaving(path);
    for (const watcher of this.pathWatchers) watcher.pathMoves(path, group);
    this.paths.move(path, group);
    this.dropIfEmpty(before);
  }

  removePath(path: number): void {
    const group = this.paths.group(path);
    this.#announceLeaving(path);
    for (const watcher of this.pathWatchers) watcher.pathLeaves(path);
    this.paths.remove(path);
    this.dropIfEmpty(group);
  }

  /** Retires a group that has no paths, and forgets it if no prefix has it as its best either. */
  dropIfEmpty(group: number): void {
    const { groups } = this;
    if (groups.pathCount(group) > 0) return;
    this.nextHopSweep.groupLeaves(group);
    this.peerSweep.groupLeaves(group);
    groups.retire(group);
    if (groups.bestCount(group) === 0) this.#forget(group);
  }

  /** A prefix has no longer its best path in the group. */
  releaseBest(group: number): void {
    const count = this.groups.addToBestCount(group, -1);
    if (count === 0 && this.groups.pathCount(group) === 0) this.#forget(group);
  }

  /** Our cluster may have another id than when the group was made. */
  #refreshLoop(group: number): void {
    const { groups } = this;
    const isLoop = groups.has(group, GroupFlag.ReflectionLoop);
    if (!isLoop && groups.clusterCount(group) === 0) return;
    this.summarise(groups.received(group));
    if (this.isReflectionLoop(this.summary) !== isLoop) {
      groups.toggle(group, GroupFlag.ReflectionLoop);
    }
  }

  #reflectionLoop(group: number): Refusal {
    this.summarise(this.groups.received(group));
    const isOwn = this.summary.originatorId === this.reflector.routerId;
    return { reason: isOwn ? 'originator-id-loop' : 'cluster-list-loop' };
  }

  #announceLeaving(path: number): void {
    this.nextHopSweep.pathLeaves(path);
    this.peerSweep.pathLeaves(path);
  }

  #forget(group: number): void {
    const [received, accepted] = [this.groups.received(group), this.groups.attribute(group)];
    this.attributes.release(received);
    if (accepted !== received) this.attributes.release(accepted);
    this.#releaseNextHop(this.groups.nextHop(group));
    const told = this.groups.receivedNextHop(group);
    if (told !== this.groups.nextHop(group)) this.#releaseNextHop(told);
    for (const watcher of this.groupWatchers) watcher.forget(group);
    this.groups.free(group);
  }

  #releaseNextHop(id: number): void {
    const ring = this.nextHops.release(id);
    if (ring !== 0) this.nextHopSweep.cancel(ring);
  }
}

function includes(list: readonly number[], count: number, wanted: number): boolean {
  for (let i = 0; i < count; i += 1) if (list[i] === wanted) return true;
  return false;
}
