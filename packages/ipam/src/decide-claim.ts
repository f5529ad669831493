import type { Entry, Transaction } from '@overland/datastore';
import {
  type AffinityOwner,
  type AllocationBlock,
  affinityKey,
  blockKey,
  decodeAffinity,
  encodeAffinity,
  encodeBlock,
} from '@overland/model';
import type { Prefix } from '@overland/net';
import { affinityText, type KeptFree, newBlock, readableBlock, touched } from './block.ts';
import type { Instant } from './instant.ts';

/** Who claims which block. */
export interface ClaimRequest {
  readonly owner: AffinityOwner;
  readonly cidr: Prefix;
  /** Time for a block that is created. */
  readonly claimedAt: Instant;
  /** Of a block that is created. */
  readonly keptFree?: KeptFree | undefined;
}

/** What the datastore holds about one block and its owner's claim on it. */
export interface ClaimFindings {
  readonly affinity: Entry | undefined;
  readonly block: Entry | undefined;
}

/** What to do about a claim, given what was found. */
export type ClaimDecision =
  /** The block is the owner's, confirmed. Nothing to write. */
  | { readonly type: 'held'; readonly block: AllocationBlock }
  /** Someone else's. `transaction` drops a claim of ours that came to nothing. */
  | { readonly type: 'taken'; readonly transaction?: Transaction }
  /** Once `transaction` is applied, the block is the owner's and its value is `block`. */
  | { readonly type: 'claim'; readonly transaction: Transaction; readonly block: AllocationBlock };

const UNCLAIMED = { state: 'pending', deleted: false, unknown: {} } as const;

/**
 * Decides the next step of claiming a block: Calico's protocol (pending claim, block, confirmation) folded into one
 * transaction, so that no crash leaves a claim half made (docs/decisions/0040). Half-made claims of Calico's are finished or
 * dropped, and a block that its owner gave up with addresses in use is taken over with them.
 */
export function decideClaim(
  { owner, cidr, claimedAt, keptFree }: ClaimRequest,
  { affinity, block: stored }: ClaimFindings,
): ClaimDecision {
  const affinityAt = affinityKey(owner, cidr);
  const blockAt = blockKey(cidr);
  const affinityUnchanged = affinity
    ? ({ type: 'revision', key: affinityAt, revision: affinity.revision } as const)
    : ({ type: 'absent', key: affinityAt } as const);
  const claim = affinity ? decodeAffinity(affinity.value) : UNCLAIMED;
  const confirmed = encodeAffinity({ ...claim, state: 'confirmed' });
  const confirm = { type: 'put', key: affinityAt, value: confirmed } as const;

  if (!stored) {
    const block = newBlock(cidr, owner, claimedAt, keptFree);
    const conditions = [{ type: 'absent', key: blockAt } as const, affinityUnchanged];
    const create = { type: 'put', key: blockAt, value: encodeBlock(block) } as const;
    return { type: 'claim', block, transaction: { conditions, operations: [create, confirm] } };
  }

  const block = readableBlock(stored.value);
  const isOurs = block.affinity === affinityText(owner);
  if (!isOurs && block.affinity !== undefined) {
    if (!affinity) return { type: 'taken' };
    const drop = { type: 'delete', key: affinityAt } as const;
    return {
      type: 'taken',
      transaction: { conditions: [affinityUnchanged], operations: [drop] },
    };
  }
  if (isOurs && claim.state === 'confirmed') return { type: 'held', block };

  // The rewrite gives the block a new revision: whoever read the old one to release it must lose.
  const rewritten = { ...touched(block), affinity: affinityText(owner) };
  const blockUnchanged = { type: 'revision', key: blockAt, revision: stored.revision } as const;
  const rewrite = { type: 'put', key: blockAt, value: encodeBlock(rewritten) } as const;
  return {
    type: 'claim',
    block: rewritten,
    transaction: {
      conditions: [blockUnchanged, affinityUnchanged],
      operations: [rewrite, confirm],
    },
  };
}
