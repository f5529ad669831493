import type { Change, Entry, Revision } from '@overland/datastore';
import {
  type AffinityOwner,
  type AffinityState,
  BLOCK_SIZES,
  decodeAffinity,
  IpamValueError,
  parseAffinityKey,
} from '@overland/model';
import { contains, familyOf, type IpAddress, type Prefix, prefixOf } from '@overland/net';

/** The owner's claim on a block, as the watch last saw it. */
export interface OwnClaim {
  readonly state: AffinityState;
  readonly revision: Revision;
}

/**
 * Which blocks are claimed, from a watch of the affinity keys: what keeps a claim from listing the cluster.
 * It may lag; whether a block is free is settled by creating it.
 */
export class ClaimIndex {
  readonly #self: string;
  readonly #owners = new Map<Prefix, string>();
  readonly #own = new Map<Prefix, OwnClaim>();

  constructor(owner: AffinityOwner) {
    this.#self = labelOf(owner);
  }

  /** Number of claimed blocks in the cluster. */
  get size(): number {
    return this.#owners.size;
  }

  /** Who claimed the block: a node's name, or `virtual:NAME`. */
  ownerOf(cidr: Prefix): string | undefined {
    return this.#owners.get(cidr);
  }

  /** The claimed block that holds an address. */
  blockOf(address: IpAddress): Prefix | undefined {
    const { min, max } = BLOCK_SIZES[familyOf(address)];
    for (let length = max; length >= min; length--) {
      const cidr = prefixOf(address, length);
      if (this.#owners.has(cidr)) return cidr;
    }
    return undefined;
  }

  /** Claimed blocks of others inside a pool, in no order. */
  *foreignIn(pool: Prefix): Generator<Prefix> {
    for (const [cidr, owner] of this.#owners) {
      if (owner !== this.#self && contains(pool, cidr)) yield cidr;
    }
  }

  /** The owner's claims, in whatever state. */
  own(): ReadonlyMap<Prefix, OwnClaim> {
    return this.#own;
  }

  /** Takes in one change below `affinityPrefix('host')` or `affinityPrefix('virtual')`. */
  apply(change: Exclude<Change, { type: 'synced' }>): void {
    const claim = parseAffinityKey(change.type === 'put' ? change.entry.key : change.key);
    if (!claim) return;
    if (change.type === 'put') this.#put(labelOf(claim.owner), claim.cidr, change.entry);
    else this.#delete(labelOf(claim.owner), claim.cidr);
  }

  #put(owner: string, cidr: Prefix, { value, revision }: Entry): void {
    const state = stateOf(value);
    // Two hosts may reach for one block; the loser's pending claim must not hide the winner's.
    if (state === 'confirmed' || !this.#owners.has(cidr)) this.#owners.set(cidr, owner);
    if (owner === this.#self) this.#own.set(cidr, { state, revision });
  }

  #delete(owner: string, cidr: Prefix): void {
    if (this.#owners.get(cidr) === owner) this.#owners.delete(cidr);
    if (owner === this.#self) this.#own.delete(cidr);
  }
}

function labelOf({ type, name }: AffinityOwner): string {
  return type === 'host' ? name : `${type}:${name}`;
}

/** A claim that we do not understand is one all the same. Whoever opens the block will say what is wrong. */
function stateOf(value: string): AffinityState {
  try {
    return decodeAffinity(value).state;
  } catch (error) {
    if (error instanceof IpamValueError) return 'pending';
    throw error;
  }
}
