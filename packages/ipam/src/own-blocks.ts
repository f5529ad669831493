import { ConflictError, type Datastore, type Revision } from '@overland/datastore';
import { type AffinityOwner, type AllocationBlock, affinityKey, blockKey } from '@overland/model';
import type { Prefix } from '@overland/net';
import type { KeptFree } from './block.ts';
import { type ClaimFindings, decideClaim } from './decide-claim.ts';
import { ContentionError } from './errors.ts';
import type { Instant } from './instant.ts';

/** Tries before a compare-and-swap loop gives up; Calico's budget. */
export const MAX_ATTEMPTS = 100;

/** A block to assign from, as last read or written. Stale at worst: its revisions guard every write. */
export interface UsableBlock {
  readonly block: AllocationBlock;
  readonly blockRevision: Revision;
  /** Of our confirmed claim: an assignment fails when someone starts to take the block away. Absent for the block of another. */
  readonly affinityRevision?: Revision;
}

/** Whose blocks, and how they are made. */
export interface OwnBlocksOptions {
  readonly datastore: Datastore;
  readonly owner: AffinityOwner;
  readonly now: () => Instant;
  readonly keptFree?: KeptFree | undefined;
}

/**
 * Blocks of one owner, kept between calls so that an assignment costs one transaction and no read. Entries
 * are dropped when a write finds them stale, or its outcome is unknown.
 */
export class OwnBlocks {
  readonly #options: OwnBlocksOptions;
  readonly #known = new Map<Prefix, UsableBlock>();

  constructor(options: OwnBlocksOptions) {
    this.#options = options;
  }

  /** Blocks that are known now, without a read. */
  known(): ReadonlyMap<Prefix, UsableBlock> {
    return this.#known;
  }

  /** Remembers what was just written. */
  remember(own: UsableBlock): void {
    this.#known.set(own.block.cidr, own);
  }

  forget(cidr: Prefix): void {
    this.#known.delete(cidr);
  }

  /**
   * A block that this host claimed before. A claim that was left half made is finished.
   *
   * @returns `undefined` if the claim is gone, or the block is not this host's after all.
   */
  async open(cidr: Prefix): Promise<UsableBlock | undefined> {
    const known = this.#known.get(cidr);
    if (known) return known;
    const found = await this.#find(cidr);
    return found.affinity && this.#settle(cidr, found);
  }

  /**
   * Claims a block that is thought to be free: one transaction if it is.
   *
   * @returns `undefined` if it turns out to be someone else's.
   */
  claim(cidr: Prefix): Promise<UsableBlock | undefined> {
    return this.#settle(cidr, { affinity: undefined, block: undefined });
  }

  async #find(cidr: Prefix): Promise<ClaimFindings> {
    const { datastore, owner } = this.#options;
    const affinity = await datastore.get(affinityKey(owner, cidr));
    return { affinity, block: await datastore.get(blockKey(cidr)) };
  }

  async #settle(cidr: Prefix, found: ClaimFindings): Promise<UsableBlock | undefined> {
    const { datastore, owner, now, keptFree } = this.#options;
    let findings = found;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const decision = decideClaim({ owner, cidr, claimedAt: now(), keptFree }, findings);
      try {
        const revision =
          decision.type === 'held' || !decision.transaction
            ? undefined
            : await datastore.transact(decision.transaction);
        if (decision.type === 'taken') return undefined;
        const blockRevision = revision ?? findings.block?.revision;
        const affinityRevision = revision ?? findings.affinity?.revision;
        if (!blockRevision || !affinityRevision)
          throw new Error(`${cidr}: held without being stored`);
        const own = { block: decision.block, blockRevision, affinityRevision };
        this.remember(own);
        return own;
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        findings = await this.#find(cidr);
      }
    }
    throw new ContentionError(`claiming block ${cidr}`, MAX_ATTEMPTS);
  }
}
