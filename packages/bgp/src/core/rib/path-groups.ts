import type { AttributeSummary } from '../wire/attribute-summary.ts';
import { HashIndex } from './memory/hash-index.ts';
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
} as const;

/** LOCAL_PREF of what comes without one. */
const DEFAULT_LOCAL_PREF = 100;

/** What makes paths a group. */
export interface GroupKey {
  readonly peer: number;
  readonly generation: number;
  readonly attribute: number;
  readonly nextHop: number;
}

/** What a new group has beyond its key and its attributes. */
export interface GroupFacts {
  /** {@link GroupFlag}s: `Originated`, `Ebgp`. */
  readonly flags: number;
  /** BGP Identifier of the peer. */
  readonly routerId: number;
  /** Occurrences of our own AS numbers in the AS_PATH. */
  readonly ownAsCount: number;
}

/** Fields of a record: 64 octets, a cache line. */
const Field = {
  Peer: 0,
  Generation: 1,
  Attribute: 2,
  NextHop: 3,
  /** Flags (8 bits), ORIGIN (2), own AS count (8) and AS_PATH length (14), from the lowest bit on. */
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
} as const;
const FIELDS = 16;

const ORIGIN_SHIFT = 8;
const OWN_AS_SHIFT = 10;
const LENGTH_SHIFT = 18;
const MAX_OWN_AS = 255;
const MAX_LENGTH = (1 << 14) - 1;

/**
 * Paths that came from one peer, in one generation of its session, with one attribute set and one next hop:
 * whatever the decision process and egress ask of a path, they ask its group. A full table has a million paths
 * in some 150,000 groups.
 *
 * Groups also answer "which paths": each lists its paths, each peer and each next hop its groups. So the loss
 * of a session or a link costs what hangs on it, and no more.
 */
export class PathGroups {
  readonly #ids = new Ids();
  readonly #index = new HashIndex();
  readonly #records = new Records(FIELDS);
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
    const index = this.#index;
    const hash = hashKey(key.peer, key.generation, key.attribute, key.nextHop);
    let slot = index.first(hash, 0);
    while (slot >= 0 && !this.#equals(index.idAt(slot), key)) slot = index.following(slot, hash, 0);
    return slot < 0 ? 0 : index.idAt(slot);
  }

  /** A new group without paths. The caller puts it into its rings. */
  create(key: GroupKey, summary: AttributeSummary, facts: GroupFacts): number {
    const records = this.#records;
    const id = this.#take();
    records.set(id, Field.Peer, key.peer);
    records.set(id, Field.Generation, key.generation);
    records.set(id, Field.Attribute, key.attribute);
    records.set(id, Field.NextHop, key.nextHop);
    records.set(id, Field.Facts, pack(summary, facts));
    records.set(id, Field.LocalPref, summary.localPref ?? DEFAULT_LOCAL_PREF);
    records.set(id, Field.Med, summary.med ?? 0);
    records.set(id, Field.NeighbourAs, summary.neighbourAs);
    records.set(id, Field.RouterId, facts.routerId);
    records.set(id, Field.FirstPath, 0);
    records.set(id, Field.PathCount, 0);
    records.set(id, Field.BestCount, 0);
    this.#index.insert(id, hashKey(key.peer, key.generation, key.attribute, key.nextHop), 0);
    return id;
  }

  /** Takes a group that has no paths any more out of the index and its rings. */
  retire(id: number): void {
    this.#index.remove(id, this.#hashOf(id), 0);
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

  /** The attribute set. */
  attribute(id: number): number {
    return this.#records.get(id, Field.Attribute);
  }

  nextHop(id: number): number {
    return this.#records.get(id, Field.NextHop);
  }

  /** {@link GroupFlag}s. */
  flags(id: number): number {
    return this.#records.get(id, Field.Facts) & 0xff;
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

  routerId(id: number): number {
    return this.#records.get(id, Field.RouterId) >>> 0;
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
      this.attribute(id) === key.attribute &&
      this.peer(id) === key.peer &&
      this.generation(id) === key.generation &&
      this.nextHop(id) === key.nextHop
    );
  }

  #hashOf(id: number): number {
    return hashKey(this.peer(id), this.generation(id), this.attribute(id), this.nextHop(id));
  }
}

function pack(summary: AttributeSummary, { flags, ownAsCount }: GroupFacts): number {
  return (
    flags |
    (summary.noExport ? GroupFlag.NoExport : 0) |
    (summary.noAdvertise ? GroupFlag.NoAdvertise : 0) |
    (summary.origin << ORIGIN_SHIFT) |
    (Math.min(ownAsCount, MAX_OWN_AS) << OWN_AS_SHIFT) |
    (Math.min(summary.asPathLength, MAX_LENGTH) << LENGTH_SHIFT)
  );
}

function hashKey(peer: number, generation: number, attribute: number, nextHop: number): number {
  let hash = Math.imul(attribute, 0x9e37_79b1) ^ Math.imul(nextHop, 0x85eb_ca6b);
  hash ^= Math.imul(peer + Math.imul(generation, 0x1_0001), 0xc2b2_ae35);
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d) ^ (hash >>> 13);
}
