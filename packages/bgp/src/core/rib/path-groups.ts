import type { AttributeSummary } from '../wire/attribute-summary.ts';
import { Ids } from './memory/ids.ts';
import { Records } from './memory/records.ts';
import { Rings } from './memory/rings.ts';

/** Facts about all paths of a group. */
export const GroupFlag = {
  /** Originated by this speaker. */
  Originated: 0x01,
  /** Learned over eBGP. */
  Ebgp: 0x02,
  /** Import rules refuse it. It stays, so that a change of the rules needs no refresh from the peer. */
  Refused: 0x04,
  NoExport: 0x08,
  NoAdvertise: 0x10,
  /** The speaker or its cluster has seen the route before. RFC 4456 section 8. */
  ReflectionLoop: 0x20,
  /** Not to go to providers, peers and route servers. RFC 9234 section 5. */
  OnlyToCustomer: 0x40,
  /** The last choice, and only for peers that know what it is. RFC 9494. */
  LongLivedStale: 0x80,
  /** What the kernel is to drop, where it has nothing longer: an aggregate of ours. */
  Discard: 0x100,
} as const;

/** LOCAL_PREF of what comes without one. */
export const DEFAULT_LOCAL_PREF = 100;

/** What makes paths a group. */
export interface GroupKey {
  readonly peer: number;
  readonly generation: number;
  /** The attribute set as received. */
  readonly received: number;
  /** The next hop as received. */
  readonly receivedNextHop: number;
  /** What the import policy makes of it: see {@link Treatments}. */
  readonly treatment: number;
}

/** What a new group has beyond its key and its attributes. */
export interface GroupFacts {
  /** The attribute set as accepted; that received, where import changes nothing. */
  readonly attribute: number;
  /** The next hop as accepted; that received, where import changes nothing. */
  readonly nextHop: number;
  /** {@link GroupFlag}s: `Originated`, `Ebgp`. */
  readonly flags: number;
  /** BGP Identifier of the peer. A route with an ORIGINATOR_ID is compared by that. */
  readonly routerId: number;
  /** Occurrences of our own AS numbers in the AS_PATH. */
  readonly ownAsCount: number;
}

/** Fields of a record. */
const Field = {
  Peer: 0,
  Generation: 1,
  /** As accepted. */
  Attribute: 2,
  /** As accepted. */
  NextHop: 3,
  /** Flags (9 bits), ORIGIN (2), own AS count (8) and AS_PATH length (13), from the lowest bit on. */
  Facts: 4,
  LocalPref: 5,
  Med: 6,
  NeighbourAs: 7,
  RouterId: 8,
  FirstPath: 9,
  PathCount: 10,
  BestCount: 11,
  NextOfPeer: 12,
  PreviousOfPeer: 13,
  NextOfNextHop: 14,
  PreviousOfNextHop: 15,
  /** Of those with the same attribute set as received. */
  NextOfReceived: 16,
  ClusterCount: 17,
  Received: 18,
  Treatment: 19,
  ReceivedNextHop: 20,
} as const;
const FIELDS = 21;

const FLAGS = 0x1ff;
const ORIGIN_SHIFT = 9;
const OWN_AS_SHIFT = 11;
const LENGTH_SHIFT = 19;
const MAX_OWN_AS = 255;
const MAX_LENGTH = (1 << 13) - 1;

/**
 * Paths that came from one peer, in one generation of its session, with one attribute set and one next hop, and
 * that the import policy treats alike: whatever the decision process and egress ask of a path, they ask its group. A full table has a million paths
 * in some 150,000 groups.
 *
 * Groups also answer "which paths": each lists its paths, each peer and each next hop its groups. So the loss
 * of a session or a link costs what hangs on it, and no more.
 */
export class PathGroups {
  readonly #ids = new Ids();
  readonly #records = new Records(FIELDS);
  /** By attribute set, the first group that was received with it. */
  readonly #firstOfReceived = new Records(1);
  /** Groups by peer, and groups by next hop. */
  readonly ofPeer = new Rings(this.#records, {
    next: Field.NextOfPeer,
    previous: Field.PreviousOfPeer,
  });
  readonly ofNextHop = new Rings(this.#records, {
    next: Field.NextOfNextHop,
    previous: Field.PreviousOfNextHop,
  });

  /** The group with that key; 0 if there is none. */
  find(key: GroupKey): number {
    this.#firstOfReceived.ensure(key.received);
    let id = this.#firstOfReceived.get(key.received, 0);
    while (id !== 0 && !this.#equals(id, key)) id = this.#records.get(id, Field.NextOfReceived);
    return id;
  }

  /** A new group without paths, for a key that was not {@link find found}. The caller puts it into its rings. */
  create(key: GroupKey, summary: AttributeSummary, facts: GroupFacts): number {
    const records = this.#records;
    const id = this.#take();
    records.set(id, Field.Peer, key.peer);
    records.set(id, Field.Generation, key.generation);
    records.set(id, Field.Received, key.received);
    records.set(id, Field.Treatment, key.treatment);
    records.set(id, Field.Attribute, facts.attribute);
    records.set(id, Field.NextHop, facts.nextHop);
    records.set(id, Field.ReceivedNextHop, key.receivedNextHop);
    records.set(id, Field.Facts, pack(summary, facts));
    records.set(id, Field.LocalPref, localPrefOf(summary, facts));
    records.set(id, Field.Med, summary.med ?? 0);
    records.set(id, Field.NeighbourAs, summary.neighbourAs);
    records.set(id, Field.RouterId, summary.originatorId ?? facts.routerId);
    records.set(id, Field.ClusterCount, summary.clusterCount);
    records.set(id, Field.FirstPath, 0);
    records.set(id, Field.PathCount, 0);
    records.set(id, Field.BestCount, 0);
    records.set(id, Field.NextOfReceived, this.#firstOfReceived.get(key.received, 0));
    this.#firstOfReceived.set(key.received, 0, id);
    return id;
  }

  /** Takes a group that has no paths any more out of its rings; nobody finds it again. */
  retire(id: number): void {
    this.#leaveReceived(id);
    this.ofPeer.remove(id);
    this.ofNextHop.remove(id);
  }

  /** Forgets a retired group. */
  free(id: number): void {
    this.#ids.giveBack(id);
  }

  /** An id that names an empty ring of {@link ofPeer} or {@link ofNextHop}. */
  createRing(rings: Rings): number {
    const sentinel = this.#take();
    rings.create(sentinel);
    return sentinel;
  }

  freeRing(sentinel: number): void {
    this.#ids.giveBack(sentinel);
  }

  /** Slot of the peer in the engine; 0 is the speaker itself. */
  peer(id: number): number {
    return this.#records.get(id, Field.Peer);
  }

  generation(id: number): number {
    return this.#records.get(id, Field.Generation);
  }

  /** The attribute set as accepted: what the decision process and egress use. */
  attribute(id: number): number {
    return this.#records.get(id, Field.Attribute);
  }

  /** The attribute set as received. */
  received(id: number): number {
    return this.#records.get(id, Field.Received);
  }

  /** What the import policy has made of it. */
  treatment(id: number): number {
    return this.#records.get(id, Field.Treatment);
  }

  /** The next hop as accepted: what routes go by. */
  nextHop(id: number): number {
    return this.#records.get(id, Field.NextHop);
  }

  /** The next hop as received. */
  receivedNextHop(id: number): number {
    return this.#records.get(id, Field.ReceivedNextHop);
  }

  /** {@link GroupFlag}s. */
  flags(id: number): number {
    return this.#records.get(id, Field.Facts) & FLAGS;
  }

  has(id: number, flag: number): boolean {
    return (this.#records.get(id, Field.Facts) & flag) !== 0;
  }

  toggle(id: number, flag: number): void {
    this.#records.set(id, Field.Facts, this.#records.get(id, Field.Facts) ^ flag);
  }

  origin(id: number): number {
    return (this.#records.get(id, Field.Facts) >>> ORIGIN_SHIFT) & 3;
  }

  ownAsCount(id: number): number {
    return (this.#records.get(id, Field.Facts) >>> OWN_AS_SHIFT) & MAX_OWN_AS;
  }

  asPathLength(id: number): number {
    return this.#records.get(id, Field.Facts) >>> LENGTH_SHIFT;
  }

  localPref(id: number): number {
    return this.#records.get(id, Field.LocalPref) >>> 0;
  }

  /** MULTI_EXIT_DISC; 0 if there is none (RFC 4271 section 9.1.2.2 c). */
  med(id: number): number {
    return this.#records.get(id, Field.Med) >>> 0;
  }

  neighbourAs(id: number): number {
    return this.#records.get(id, Field.NeighbourAs) >>> 0;
  }

  /** BGP Identifier of the router that brought the route into the AS, or of the eBGP peer. RFC 4456 section 9. */
  routerId(id: number): number {
    return this.#records.get(id, Field.RouterId) >>> 0;
  }

  /** Length of the CLUSTER_LIST. */
  clusterCount(id: number): number {
    return this.#records.get(id, Field.ClusterCount);
  }

  firstPath(id: number): number {
    return this.#records.get(id, Field.FirstPath);
  }

  setFirstPath(id: number, path: number): void {
    this.#records.set(id, Field.FirstPath, path);
  }

  pathCount(id: number): number {
    return this.#records.get(id, Field.PathCount);
  }

  /** @returns The new count. */
  addToPathCount(id: number, change: number): number {
    const count = this.#records.get(id, Field.PathCount) + change;
    this.#records.set(id, Field.PathCount, count);
    return count;
  }

  /** Prefixes whose best path is in the group, as far as decided. */
  bestCount(id: number): number {
    return this.#records.get(id, Field.BestCount);
  }

  /** @returns The new count. */
  addToBestCount(id: number, change: number): number {
    const count = this.#records.get(id, Field.BestCount) + change;
    this.#records.set(id, Field.BestCount, count);
    return count;
  }

  #take(): number {
    const id = this.#ids.take();
    this.#records.ensure(id);
    return id;
  }

  #equals(id: number, key: GroupKey): boolean {
    return (
      this.peer(id) === key.peer &&
      this.generation(id) === key.generation &&
      this.receivedNextHop(id) === key.receivedNextHop &&
      this.treatment(id) === key.treatment
    );
  }

  /** There are as many groups of an attribute set as peers, next hops and treatments that it came with. */
  #leaveReceived(id: number): void {
    const received = this.received(id);
    const after = this.#records.get(id, Field.NextOfReceived);
    let at = this.#firstOfReceived.get(received, 0);
    if (at === id) {
      this.#firstOfReceived.set(received, 0, after);
      return;
    }
    for (;;) {
      const following = this.#records.get(at, Field.NextOfReceived);
      if (following === id) break;
      at = following;
    }
    this.#records.set(at, Field.NextOfReceived, after);
  }
}

/**
 * What an eBGP peer is about to stop serving is the last choice. RFC 8326 section 4.2; an import filter that takes the
 * community away prevents it.
 */
function localPrefOf(summary: AttributeSummary, { flags }: GroupFacts): number {
  if (summary.gracefulShutdown && (flags & GroupFlag.Ebgp) !== 0) return 0;
  return summary.localPref ?? DEFAULT_LOCAL_PREF;
}

function pack(summary: AttributeSummary, { flags, ownAsCount }: GroupFacts): number {
  return (
    flags |
    (summary.noExport ? GroupFlag.NoExport : 0) |
    (summary.noAdvertise ? GroupFlag.NoAdvertise : 0) |
    (summary.onlyToCustomer ? GroupFlag.OnlyToCustomer : 0) |
    (summary.longLivedStale ? GroupFlag.LongLivedStale : 0) |
    (summary.origin << ORIGIN_SHIFT) |
    (Math.min(ownAsCount, MAX_OWN_AS) << OWN_AS_SHIFT) |
    (Math.min(summary.asPathLength, MAX_LENGTH) << LENGTH_SHIFT)
  );
}
