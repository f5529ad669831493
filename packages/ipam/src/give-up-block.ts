import {
  ConflictError,
  type Datastore,
  type Entry,
  type Revision,
  type Transaction,
} from '@overland/datastore';
import { type AffinityOwner, affinityKey, blockKey, encodeBlock } from '@overland/model';
import type { Prefix } from '@overland/net';
import { affinityText, isEmpty, readableBlock, touched } from './block.ts';
import type { ClaimFindings } from './decide-claim.ts';
import { ContentionError } from './errors.ts';
import { MAX_ATTEMPTS } from './own-blocks.ts';

/** What became of a block that its owner is to give up. */
export type GivenUp =
  /** Nothing of the owner's was there. */
  | 'absent'
  /** It is deleted, and anybody can claim it anew. */
  | 'deleted'
  /** Addresses are in use or cooling down: it stays, without an owner. */
  | 'ownerless'
  /** There was only a claim, without a block or on a block of somebody else. */
  | 'dangling'
  /** Addresses are in use, and so it was left as it is. */
  | 'in-use'
  /** It is not as it was seen, and so it was left as it is. */
  | 'changed';

/** What to write, and what it comes to. */
interface GiveUpDecision {
  readonly outcome: GivenUp;
  /** Absent if there is nothing to do. */
  readonly transaction?: Transaction;
}

/** Revisions at which a block and a claim were seen; `undefined`: there was none. */
interface Seen {
  readonly claim: Revision | undefined;
  readonly block: Revision | undefined;
}

/** Whose block to give up. */
export interface GiveUpRequest {
  /** `undefined`: a block that nobody owns. */
  readonly owner: AffinityOwner | undefined;
  readonly cidr: Prefix;
  /** Only if no address is in use or cooling down. */
  readonly ifEmpty?: boolean;
  /** Only if block and claim are still as they were seen. */
  readonly seen?: Seen;
}

/**
 * Decides how `owner` gives a block up, in one transaction over the block and the claim: Calico marks the claim first,
 * then changes the block, then drops the claim, and each gap leaves something behind.
 *
 * @throws {InconsistentBlockError} If the block contradicts itself: nobody can tell what it holds.
 */
export function decideGiveUp(
  { owner, cidr, ifEmpty = false, seen }: GiveUpRequest,
  { affinity, block: stored }: ClaimFindings,
): GiveUpDecision {
  if (seen && (seen.claim !== affinity?.revision || seen.block !== stored?.revision)) {
    return { outcome: 'changed' };
  }
  const claims = owner ? [unchanged(affinityKey(owner, cidr), affinity)] : [];
  const drops = affinity ? [{ type: 'delete', key: affinity.key } as const] : [];
  const block = stored && readableBlock(stored.value);
  if (!stored || !block || block.affinity !== (owner && affinityText(owner))) {
    if (!affinity) return { outcome: 'absent' };
    const conditions = [...claims, unchanged(blockKey(cidr), stored)];
    return { outcome: 'dangling', transaction: { conditions, operations: drops } };
  }
  const empty = isEmpty(block);
  if (!empty && (ifEmpty || !owner)) return { outcome: 'in-use' };
  const key = blockKey(cidr);
  const ownerless = { ...touched(block), affinity: undefined, affinityClaimTime: undefined };
  return {
    outcome: empty ? 'deleted' : 'ownerless',
    transaction: {
      conditions: [unchanged(key, stored), ...claims],
      operations: [
        empty ? { type: 'delete', key } : { type: 'put', key, value: encodeBlock(ownerless) },
        ...drops,
      ],
    },
  };
}

/**
 * Gives a block up. Whoever assigns from it at the same time either comes first, or loses and finds it gone.
 *
 * @throws {InconsistentBlockError} If the block contradicts itself.
 */
export async function giveUpBlock(datastore: Datastore, request: GiveUpRequest): Promise<GivenUp> {
  const { owner, cidr } = request;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const affinity = owner && (await datastore.get(affinityKey(owner, cidr)));
    const findings = { affinity, block: await datastore.get(blockKey(cidr)) };
    const { outcome, transaction } = decideGiveUp(request, findings);
    if (!transaction) return outcome;
    try {
      await datastore.transact(transaction);
      return outcome;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
  throw new ContentionError(`giving up block ${cidr}`, MAX_ATTEMPTS);
}

function unchanged(key: string, entry: Entry | undefined) {
  return entry
    ? ({ type: 'revision', key, revision: entry.revision } as const)
    : ({ type: 'absent', key } as const);
}
