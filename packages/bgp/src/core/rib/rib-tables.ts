import type { Family } from '@overland/net';
import { AttributeSummary } from '../wire/attribute-summary.ts';
import type { AttributeTable } from './attribute-table.ts';
import { Int32Column } from './memory/column.ts';
import { IdSet } from './memory/id-set.ts';
import type { NextHopSets } from './next-hop-sets.ts';
import { NextHops } from './next-hops.ts';
import { GroupFlag, PathGroups } from './path-groups.ts';
import { Paths } from './paths.ts';
import type { RefusalReason } from './peer.ts';
import type { PrefixTable } from './prefix-table.ts';
import { RouteStates } from './route-states.ts';
import { Sweep } from './sweep.ts';

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
  readonly peerSweep: Sweep;
  /** Of the set that was looked at last. */
  readonly summary = new AttributeSummary();
  /** Told when import rules begin or cease to refuse a group. */
  onRefusalChange: (group: number) => void = () => {};

  constructor(prefixes: PrefixTable, attributes: AttributeTable, sets: NextHopSets) {
    this.family = prefixes.family;
    this.prefixes = prefixes;
    this.attributes = attributes;
    this.nextHops = new NextHops(this.groups, sets);
    const { groups, states, undecided } = this;
    const paths = new Paths({ groups, states, prefixes, undecided });
    this.paths = paths;
    this.nextHopSweep = new Sweep({
      groups,
      paths,
      undecided,
      rings: groups.ofNextHop,
      visit: () => {},
    });
    this.peerSweep = new Sweep({
      groups,
      paths,
      undecided,
      rings: groups.ofPeer,
      visit: (group) => {
        this.#refreshLoop(group);
        this.refreshRefusal(group);
      },
    });
  }

  /** The bound for a loop over all prefixes: {@link states} has room for them. */
  highestPrefix(): number {
    const { highest } = this.prefixes;
    this.states.ensure(highest);
    return highest;
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
   * Applies the import rules to a group: too many of our own AS numbers in the path (RFC 4271 section 9.1.2), or a
   * loop between reflectors.
   */
  refreshRefusal(group: number): void {
    const { groups } = this;
    const limit = this.allowAsIn.get(groups.peer(group));
    const isRefused =
      groups.ownAsCount(group) > limit || groups.has(group, GroupFlag.ReflectionLoop);
    if (isRefused === groups.has(group, GroupFlag.Refused)) return;
    groups.toggle(group, GroupFlag.Refused);
    this.onRefusalChange(group);
  }

  /** Why a group is refused, as counted. */
  refusalReason(group: number): RefusalReason {
    if (!this.groups.has(group, GroupFlag.ReflectionLoop)) return 'as-path-loop';
    this.#summarise(group);
    const isOwn = this.summary.originatorId === this.reflector.routerId;
    return isOwn ? 'originator-id-loop' : 'cluster-list-loop';
  }

  movePath(path: number, group: number): void {
    const before = this.paths.group(path);
    this.#announceLeaving(path);
    this.paths.move(path, group);
    this.dropIfEmpty(before);
  }

  removePath(path: number): void {
    const group = this.paths.group(path);
    this.#announceLeaving(path);
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
    this.#summarise(group);
    if (this.isReflectionLoop(this.summary) !== isLoop) {
      groups.toggle(group, GroupFlag.ReflectionLoop);
    }
  }

  #summarise(group: number): void {
    const { attributes } = this;
    const id = this.groups.attribute(group);
    this.summary.read(attributes.bytes(id), attributes.offset(id), attributes.length(id));
  }

  #announceLeaving(path: number): void {
    this.nextHopSweep.pathLeaves(path);
    this.peerSweep.pathLeaves(path);
  }

  #forget(group: number): void {
    this.attributes.release(this.groups.attribute(group));
    const ring = this.nextHops.release(this.groups.nextHop(group));
    if (ring !== 0) this.nextHopSweep.cancel(ring);
    this.groups.free(group);
  }
}
