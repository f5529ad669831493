import type { Change, Entry, Revision } from '@overland/datastore';
import {
  type AffinityState,
  BLOCK_SIZES,
  decodeAffinity,
  IpamValueError,
  parseAffinityKey,
} from '@overland/model';
import { familyOf, type IpAddress, type Prefix, prefixOf } from '@overland/net';

/** This host's claim on a block, as the watch last saw it. */
export interface OwnClaim {
  readonly state: AffinityState;
  readonly revision: Revision;
}

/**
 * Which blocks are claimed, from a watch of the affinity keys: what keeps a claim from listing the cluster.
 * It may lag; whether a block is free is settled by creating it.
 */
export class ClaimIndex {
  readonly #node: string;
  readonly #owners = new Map<Prefix, string>();
  readonly #own = new Map<Prefix, OwnClaim>();

  constructor(node: string) {
    this.#node = node;
  }

  /** Number of claimed blocks in the cluster. */
  get size(): number {
    return this.#owners.size;
  }

  /** Who claimed the block. */
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

  /** This host's claims, in whatever state. */
  own(): ReadonlyMap<Prefix, OwnClaim> {
    return this.#own;
  }

  /** Takes in one change below `affinityPrefix('host')`. */
  apply(change: Exclude<Change, { type: 'synced' }>): void {
    const claim = parseAffinityKey(change.type === 'put' ? change.entry.key : change.key);
    if (!claim) return;
    if (change.type === 'put') this.#put(claim.owner.name, claim.cidr, change.entry);
    else this.#delete(claim.owner.name, claim.cidr);
  }

  #put(node: string, cidr: Prefix, { value, revision }: Entry): void {
    const state = stateOf(value);
    // Two hosts may reach for one block; the loser's pending claim must not hide the winner's.
    if (state === 'confirmed' || !this.#owners.has(cidr)) this.#owners.set(cidr, node);
    if (node === this.#node) this.#own.set(cidr, { state, revision });
  }

  #delete(node: string, cidr: Prefix): void {
    if (this.#owners.get(cidr) === node) this.#owners.delete(cidr);
    if (node === this.#node) this.#own.delete(cidr);
  }
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
