import type { Datastore } from '@overland/datastore';
import {
  type AllocationBlock,
  type IpamConfig,
  IpamValueError,
  type Labels,
} from '@overland/model';
import {
  ADDRESS_BITS,
  comparePrefixes,
  type Family,
  familyOf,
  type Prefix,
  subnetCount,
} from '@overland/net';
import { freeOrdinals } from './block.ts';
import { blockOrder, inOrderOf } from './block-order.ts';
import { collectCooled } from './cooldown.ts';
import {
  ContentionError,
  InconsistentBlockError,
  NoAddressError,
  type PoolVerdict,
} from './errors.ts';
import type { Instant } from './instant.ts';
import { MAX_ATTEMPTS, type OwnBlocks, type UsableBlock } from './own-blocks.ts';
import { choosePools, isBlockOf, type Pool, type PoolChoice, type Use } from './pool.ts';
import { isWhollyReserved, reservedIn } from './reservation.ts';
import { readBlock } from './stored-block.ts';
import type { IpamView } from './view.ts';

/** Most blocks of a family that a host claims when the configuration does not say; Calico's number. */
const BUILT_IN_LIMIT = 20;

/** With fewer free addresses than this a host claims a further block before it needs one. */
export const SPARE_ADDRESSES = 8;

/** From which pools a block may be. */
export interface BlockRequest {
  readonly family: Family;
  readonly use?: Use | undefined;
  readonly pools?: readonly string[] | undefined;
  readonly namespaceLabels?: Labels | undefined;
}

/** What {@link FreeBlocks} needs. */
export interface FreeBlocksOptions {
  readonly datastore: Datastore;
  /** Of this host, or who else owns the blocks; for messages and for the order of blocks. */
  readonly node: string;
  /** Whether addresses may be taken from blocks of others: a route for each is then needed. */
  readonly mayBorrow: boolean;
  readonly view: IpamView;
  readonly own: OwnBlocks;
  readonly now: () => Instant;
}

/** Finds blocks to assign from: the host's own, then one that it claims, then those of others. */
export class FreeBlocks {
  readonly #options: FreeBlocksOptions;
  /** The block that was borrowed from last, by pool: the next address is likely there too. */
  readonly #lenders = new Map<string, Prefix>();

  constructor(options: FreeBlocksOptions) {
    this.#options = options;
  }

  /**
   * A block with at least one free address.
   *
   * @param staged Blocks as they will be when what is being prepared is written.
   * @throws {NoAddressError} If no pool gives one.
   */
  async take(
    request: BlockRequest,
    staged: ReadonlyMap<Prefix, AllocationBlock> = new Map(),
  ): Promise<UsableBlock> {
    const fits = ({ block }: UsableBlock): boolean =>
      this.#free(staged.get(block.cidr) ?? block) > 0;
    const { strictAffinity } = this.#options.view.config();
    const choice = this.#choose(request);
    const found = await this.#find(request.family, choice, fits);
    if (found.usable) return found.usable;
    const claimed = await this.#claim(request.family, { ...choice, verdicts: found.verdicts });
    if (claimed.usable) return claimed.usable;
    if (!claimed.limited && !strictAffinity && this.#options.mayBorrow) {
      for (const pool of choice.eligible) {
        const lent = await this.#borrow(pool, fits);
        if (lent) return lent;
      }
    }
    throw new NoAddressError(this.#options.node, request.family, claimed.verdicts);
  }

  /**
   * A block of the owner, with or without free addresses; claims one if there is none.
   *
   * @throws {NoAddressError} If no pool gives one.
   */
  async ensure(request: BlockRequest): Promise<UsableBlock> {
    const choice = this.#choose(request);
    const found = await this.#find(request.family, choice, () => true);
    if (found.usable) return found.usable;
    const claimed = await this.#claim(request.family, { ...choice, verdicts: found.verdicts });
    if (claimed.usable) return claimed.usable;
    throw new NoAddressError(this.#options.node, request.family, claimed.verdicts);
  }

  /**
   * Claims a further block if the owner's have fewer than {@link SPARE_ADDRESSES} free addresses.
   *
   * @returns The new block, if there is one.
   */
  async spare(request: BlockRequest): Promise<Prefix | undefined> {
    const choice = this.#choose(request);
    const [pool] = choice.eligible;
    if (!pool) return undefined;
    const wanted = Math.min(
      SPARE_ADDRESSES,
      2 ** (ADDRESS_BITS[request.family] - pool.blockLength),
    );
    let free = 0;
    const found = await this.#find(request.family, choice, ({ block }) => {
      free += this.#free(block);
      return free >= wanted;
    });
    if (found.usable) return undefined;
    return (await this.#claim(request.family, choice)).usable?.block.cidr;
  }

  /** The block with the addresses free that have rested long enough. */
  refreshed(block: AllocationBlock): AllocationBlock {
    const { view, now } = this.#options;
    return collectCooled(block, { now: now(), seconds: view.config().ipCooldownSeconds });
  }

  #free(block: AllocationBlock): number {
    const reserved = reservedIn(this.#options.view.reserved(), block.cidr);
    return freeOrdinals(this.refreshed(block), reserved).length;
  }

  async #find(
    family: Family,
    { eligible, verdicts }: PoolChoice,
    fits: (own: UsableBlock) => boolean,
  ): Promise<{ readonly usable?: UsableBlock; readonly verdicts: readonly PoolVerdict[] }> {
    const broken: PoolVerdict[] = [];
    for (const { pool, cidr } of this.#ownIn(eligible, family)) {
      try {
        const usable = await this.#options.own.open(cidr);
        if (usable && fits(usable)) return { usable, verdicts };
      } catch (error) {
        // One block that nobody can read must not keep a host from using its others.
        if (!isUnreadable(error)) throw error;
        broken.push({ pool, cidr, reason: `is not used: ${error.message}`, remedy: 'repair it' });
      }
    }
    return { verdicts: [...verdicts, ...broken] };
  }

  #choose({ family, use = 'Workload', pools: named, namespaceLabels }: BlockRequest): PoolChoice {
    const { view } = this.#options;
    return choosePools(view.pools(), {
      family,
      use,
      nodeLabels: view.nodeLabels(),
      ...(namespaceLabels && { namespaceLabels }),
      ...(named && { named }),
    });
  }

  /** The owner's blocks of one family, in address order. The watch may lag behind our own claims. */
  #ownBlocks(family: Family): Prefix[] {
    const { own, view } = this.#options;
    const all = new Set([...own.known().keys(), ...view.claims.own().keys()]);
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

  async #claim(family: Family, { eligible, verdicts }: PoolChoice): Promise<Claimed> {
    const config = this.#options.view.config();
    const owned = this.#ownBlocks(family).length;
    const limited = owned >= blockLimit(config);
    const failed: PoolVerdict[] = [...verdicts];
    for (const pool of eligible) {
      const usable =
        limited || !config.autoAllocateBlocks ? undefined : await this.#claimFrom(pool);
      if (usable) return { usable, limited, verdicts: failed };
      failed.push({ pool: pool.name, cidr: pool.cidr, ...whyNot(pool, config, owned) });
    }
    return { limited, verdicts: failed };
  }

  async #claimFrom(pool: Pool): Promise<UsableBlock | undefined> {
    const { node, view, own } = this.#options;
    const reserved = view.reserved();
    let lost = 0;
    for (const cidr of blockOrder(pool.cidr, pool.blockLength, node)) {
      // The index may not show yet what we claimed a moment ago.
      if (own.known().has(cidr) || view.claims.ownerOf(cidr) !== undefined) continue;
      if (isWhollyReserved(reserved, cidr)) continue;
      try {
        const usable = await own.claim(cidr);
        if (usable && this.#free(usable.block) > 0) return usable;
      } catch (error) {
        if (!isUnreadable(error)) throw error;
      }
      // Blocks that the index does not show: claimed a moment ago, or left without an owner.
      if (++lost >= MAX_ATTEMPTS)
        throw new ContentionError(`claiming a block of pool ${pool.name}`, lost);
    }
    return undefined;
  }

  /** Looks through the blocks of others, the one that lent last first, in an order of the host's own. */
  async #borrow(
    pool: Pool,
    fits: (usable: UsableBlock) => boolean,
  ): Promise<UsableBlock | undefined> {
    const { datastore, node, view } = this.#options;
    const last = this.#lenders.get(pool.name);
    const foreign = inOrderOf(node, view.claims.foreignIn(pool.cidr));
    for (const cidr of last ? [last, ...foreign.filter((other) => other !== last)] : foreign) {
      try {
        const stored = await readBlock(datastore, cidr);
        const lent = stored && { block: stored.block, blockRevision: stored.revision };
        if (!lent || !fits(lent)) continue;
        this.#lenders.set(pool.name, cidr);
        return lent;
      } catch (error) {
        if (!isUnreadable(error)) throw error;
      }
    }
    this.#lenders.delete(pool.name);
    return undefined;
  }
}

interface Claimed {
  readonly usable?: UsableBlock;
  /** Whether the host may not claim any further block. */
  readonly limited: boolean;
  readonly verdicts: readonly PoolVerdict[];
}

/** Most blocks of a family that a host may have. */
export function blockLimit({ maxBlocksPerHost }: IpamConfig): number {
  return maxBlocksPerHost || BUILT_IN_LIMIT;
}

/** Why a pool gave no block. */
export function whyNot(
  pool: Pick<Pool, 'cidr' | 'blockLength'>,
  config: IpamConfig,
  owned: number,
): Pick<PoolVerdict, 'reason' | 'remedy'> {
  const { autoAllocateBlocks, strictAffinity } = config;
  if (!autoAllocateBlocks) {
    return {
      reason: "has no free address in this host's blocks",
      remedy: 'turn auto_allocate_blocks on, or release addresses',
    };
  }
  if (owned >= blockLimit(config)) {
    return {
      reason: `has no free address in this host's ${owned} blocks, the most a host may claim`,
      remedy: 'raise maxBlocksPerHost, or release addresses',
    };
  }
  const count = subnetCount(pool.cidr, pool.blockLength);
  return {
    reason: `has no free block: all ${count} are claimed${strictAffinity ? ', and strict affinity forbids to borrow' : ', and none has an address to lend'}`,
    remedy: 'add a pool, or release the blocks of hosts that are gone',
  };
}

function isUnreadable(error: unknown): error is Error {
  return error instanceof InconsistentBlockError || error instanceof IpamValueError;
}
