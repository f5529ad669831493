import { IpamValueError } from '@overland/model';
import { comparePrefixes, type Family, familyOf, type Prefix, subnetCount } from '@overland/net';
import { freeOrdinals } from './block.ts';
import { blockOrder } from './block-order.ts';
import {
  ContentionError,
  InconsistentBlockError,
  NoAddressError,
  type PoolVerdict,
} from './errors.ts';
import { MAX_ATTEMPTS, type OwnBlock, type OwnBlocks } from './own-blocks.ts';
import { choosePools, isBlockOf, type Pool, type PoolChoice } from './pool.ts';
import type { IpamView } from './view.ts';

/** Most blocks of a family that a host claims when the configuration does not say; Calico's number. */
const BUILT_IN_LIMIT = 20;

/** Finds blocks that this host may assign from, and claims more when they are full. */
export class FreeBlocks {
  readonly #node: string;
  readonly #view: IpamView;
  readonly #own: OwnBlocks;

  constructor(node: string, view: IpamView, own: OwnBlocks) {
    this.#node = node;
    this.#view = view;
    this.#own = own;
  }

  /**
   * A block of this host with at least one free address; claims one if there is none.
   *
   * @param named Names or CIDRs of the only pools to use.
   * @throws {NoAddressError} If no pool gives one.
   */
  take(family: Family, named?: readonly string[]): Promise<OwnBlock> {
    const choice = this.#choose(family, named);
    return this.#find(family, choice, ({ block }) => freeOrdinals(block).length > 0);
  }

  /**
   * A block of this host, with or without free addresses; claims one if there is none.
   *
   * @throws {NoAddressError} If no pool gives one.
   */
  ensure(family: Family): Promise<OwnBlock> {
    return this.#find(family, this.#choose(family), () => true);
  }

  async #find(
    family: Family,
    { eligible, verdicts }: PoolChoice,
    fits: (own: OwnBlock) => boolean,
  ): Promise<OwnBlock> {
    const broken: PoolVerdict[] = [];
    for (const { pool, cidr } of this.#ownIn(eligible, family)) {
      try {
        const own = await this.#own.open(cidr);
        if (own && fits(own)) return own;
      } catch (error) {
        // One block that nobody can read must not keep a host from using its others.
        if (!(error instanceof InconsistentBlockError || error instanceof IpamValueError))
          throw error;
        broken.push({ pool, cidr, reason: `is not used: ${error.message}`, remedy: 'repair it' });
      }
    }
    return this.#claim(family, { eligible, verdicts: [...verdicts, ...broken] });
  }

  #choose(family: Family, named?: readonly string[]): PoolChoice {
    return choosePools(this.#view.pools(), {
      family,
      nodeLabels: this.#view.nodeLabels(),
      ...(named && { named }),
    });
  }

  /** This host's blocks of one family, in address order. The watch may lag behind our own claims. */
  #ownBlocks(family: Family): Prefix[] {
    const all = new Set([...this.#own.known().keys(), ...this.#view.claims.own().keys()]);
    return [...all].filter((cidr) => familyOf(cidr) === family).toSorted(comparePrefixes);
  }

  /** Those of them that lie in the pools, pool by pool. */
  #ownIn(
    pools: readonly Pool[],
    family: Family,
  ): { readonly pool: string; readonly cidr: Prefix }[] {
    const all = this.#ownBlocks(family);
    return pools.flatMap((pool) =>
      all.filter((cidr) => isBlockOf(pool, cidr)).map((cidr) => ({ pool: pool.name, cidr })),
    );
  }

  async #claim(family: Family, { eligible, verdicts }: PoolChoice): Promise<OwnBlock> {
    const { maxBlocksPerHost, autoAllocateBlocks } = this.#view.config();
    const owned = this.#ownBlocks(family).length;
    const failed: PoolVerdict[] = [...verdicts];
    for (const pool of eligible) {
      const fail = (reason: string, remedy: string): unknown =>
        failed.push({ pool: pool.name, cidr: pool.cidr, reason, remedy });
      if (!autoAllocateBlocks) {
        fail(
          "has no free address in this host's blocks",
          'turn auto_allocate_blocks on, or release addresses',
        );
      } else if (owned >= (maxBlocksPerHost || BUILT_IN_LIMIT)) {
        fail(
          `has no free address in this host's ${owned} blocks, the most a host may claim`,
          'raise maxBlocksPerHost, or release addresses',
        );
      } else {
        const own = await this.#claimFrom(pool);
        if (own) return own;
        fail(
          `has no free block: all ${subnetCount(pool.cidr, pool.blockLength)} are claimed`,
          'add a pool, or release the blocks of hosts that are gone',
        );
      }
    }
    throw new NoAddressError(this.#node, family, failed);
  }

  async #claimFrom(pool: Pool): Promise<OwnBlock | undefined> {
    let lost = 0;
    for (const cidr of blockOrder(pool.cidr, pool.blockLength, this.#node)) {
      if (this.#view.claims.ownerOf(cidr) !== undefined) continue;
      const own = await this.#own.claim(cidr);
      if (own && freeOrdinals(own.block).length > 0) return own;
      // Blocks that the index does not show: claimed a moment ago, or left without an owner.
      if (++lost >= MAX_ATTEMPTS)
        throw new ContentionError(`claiming a block of pool ${pool.name}`, lost);
    }
    return undefined;
  }
}
