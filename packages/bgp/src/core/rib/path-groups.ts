import type { AttributeSummary } from '../wire/attribute-summary.ts';
import { Int32Column, Uint8Column, Uint16Column, Uint32Column } from './memory/column.ts';
import { HashIndex } from './memory/hash-index.ts';
import { Ids } from './memory/ids.ts';
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
  /** The set carries LOCAL_PREF or MED. */
  HasLocalPref: 0x20,
  HasMed: 0x40,
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
  readonly #index: HashIndex;
  /** Slot of the peer in the engine; 0 is the speaker itself. */
  readonly peer = new Uint16Column();
  readonly generation = new Int32Column();
  readonly attribute = new Int32Column();
  readonly nextHop = new Int32Column();
  readonly firstPath = new Int32Column();
  readonly pathCount = new Int32Column();
  /** Prefixes whose best path is in the group, as far as decided. */
  readonly bestCount = new Int32Column();
  readonly flags = new Uint8Column();
  /** Occurrences of our own AS numbers in the AS_PATH, up to 255. */
  readonly ownAsCount = new Uint8Column();
  readonly localPref = new Uint32Column();
  readonly asPathLength = new Uint16Column();
  readonly origin = new Uint8Column();
  /** 0 if there is none (RFC 4271 section 9.1.2.2 c). */
  readonly med = new Uint32Column();
  readonly neighbourAs = new Uint32Column();
  /** BGP Identifier of the peer. */
  readonly routerId = new Uint32Column();
  /** Groups by peer, and groups by next hop. */
  readonly ofPeer = new Rings();
  readonly ofNextHop = new Rings();

  constructor() {
    this.#index = new HashIndex((id) => this.#hashOf(id));
  }

  /** The group with that key; 0 if there is none. */
  find(key: GroupKey): number {
    let id = this.#index.first(hashKey(key.peer, key.generation, key.attribute, key.nextHop));
    while (id !== 0 && !this.#equals(id, key)) id = this.#index.following(id);
    return id;
  }

  /** A new group without paths. The caller puts it into its rings. */
  create(key: GroupKey, summary: AttributeSummary, flags: number): number {
    const id = this.#ids.take();
    this.peer.set(id, key.peer);
    this.generation.set(id, key.generation);
    this.attribute.set(id, key.attribute);
    this.nextHop.set(id, key.nextHop);
    this.firstPath.set(id, 0);
    this.pathCount.set(id, 0);
    this.bestCount.set(id, 0);
    this.localPref.set(id, summary.localPref ?? DEFAULT_LOCAL_PREF);
    this.asPathLength.set(id, Math.min(summary.asPathLength, 0xffff));
    this.origin.set(id, summary.origin);
    this.med.set(id, summary.med ?? 0);
    this.neighbourAs.set(id, summary.neighbourAs);
    this.flags.set(
      id,
      flags |
        (summary.noExport ? GroupFlag.NoExport : 0) |
        (summary.noAdvertise ? GroupFlag.NoAdvertise : 0) |
        (summary.localPref === undefined ? 0 : GroupFlag.HasLocalPref) |
        (summary.med === undefined ? 0 : GroupFlag.HasMed),
    );
    this.#index.insert(id, hashKey(key.peer, key.generation, key.attribute, key.nextHop));
    return id;
  }

  /** Takes a group that has no paths any more out of the index and its rings. */
  retire(id: number): void {
    this.#index.remove(id, this.#hashOf(id));
    this.ofPeer.remove(id);
    this.ofNextHop.remove(id);
  }

  /** Forgets a retired group. */
  free(id: number): void {
    this.#ids.giveBack(id);
  }

  /** An id that names an empty ring of {@link ofPeer} or {@link ofNextHop}. */
  createRing(rings: Rings): number {
    const sentinel = this.#ids.take();
    rings.create(sentinel);
    return sentinel;
  }

  freeRing(sentinel: number): void {
    this.#ids.giveBack(sentinel);
  }

  has(id: number, flag: number): boolean {
    return (this.flags.get(id) & flag) !== 0;
  }

  #equals(id: number, key: GroupKey): boolean {
    return (
      this.attribute.get(id) === key.attribute &&
      this.peer.get(id) === key.peer &&
      this.generation.get(id) === key.generation &&
      this.nextHop.get(id) === key.nextHop
    );
  }

  #hashOf(id: number): number {
    return hashKey(
      this.peer.get(id),
      this.generation.get(id),
      this.attribute.get(id),
      this.nextHop.get(id),
    );
  }
}

function hashKey(peer: number, generation: number, attribute: number, nextHop: number): number {
  let hash = Math.imul(attribute, 0x9e37_79b1) ^ Math.imul(nextHop, 0x85eb_ca6b);
  hash ^= Math.imul(peer + Math.imul(generation, 0x1_0001), 0xc2b2_ae35);
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d) ^ (hash >>> 13);
}
