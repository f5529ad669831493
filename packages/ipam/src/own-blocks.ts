import { ConflictError, type Datastore, type Revision } from '@overland/datastore';
import { type AllocationBlock, affinityKey, blockKey } from '@overland/model';
import type { Prefix } from '@overland/net';
import { type ClaimFindings, decideClaim } from './decide-claim.ts';
import { ContentionError } from './errors.ts';
import type { Instant } from './instant.ts';

/** Tries before a compare-and-swap loop gives up; Calico's budget. */
export const MAX_ATTEMPTS = 100;

/** A block that is this host's, as last read or written. Stale at worst: its revisions guard every write. */
export interface OwnBlock {
  readonly block: AllocationBlock;
  readonly blockRevision: Revision;
  /** Of the confirmed claim: an assignment fails when someone starts to take the block away. */
  readonly affinityRevision: Revision;
}

/**
 * This host's blocks, kept between calls so that an assignment costs one transaction and no read. Entries
 * are dropped when a write finds them stale, or its outcome is unknown.
 */
export class OwnBlocks {
  readonly #datastore: Datastore;
  readonly #node: string;
  readonly #now: () => Instant;
  readonly #known = new Map<Prefix, OwnBlock>();

  constructor(datastore: Datastore, node: string, now: () => Instant) {
    this.#datastore = datastore;
    this.#node = node;
    this.#now = now;
  }

  /** Blocks that are known now, without a read. */
  known(): ReadonlyMap<Prefix, OwnBlock> {
    return this.#known;
  }

  /** Remembers what was just written. */
  remember(own: OwnBlock): void {
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
  async open(cidr: Prefix): Promise<OwnBlock | undefined> {
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
  claim(cidr: Prefix): Promise<OwnBlock | undefined> {
    return this.#settle(cidr, { affinity: undefined, block: undefined });
  }

  async #find(cidr: Prefix): Promise<ClaimFindings> {
    const affinity = await this.#datastore.get(
      affinityKey({ type: 'host', name: this.#node }, cidr),
    );
    return { affinity, block: await this.#datastore.get(blockKey(cidr)) };
  }

  async #settle(cidr: Prefix, found: ClaimFindings): Promise<OwnBlock | undefined> {
    let findings = found;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const decision = decideClaim(this.#node, cidr, findings, this.#now());
      try {
        const revision =
          decision.type === 'held' || !decision.transaction
            ? undefined
            : await this.#datastore.transact(decision.transaction);
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
