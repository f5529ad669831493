import { ConflictError, type Entry, type Transaction } from '@overland/datastore';
import { affinityKey, decodeHandle, encodeHandle, handleKey } from '@overland/model';
import type { Assignment, AssignRequest } from './assign-request.ts';
import { type Allocator, type DraftAssignment, draftAssignment } from './draft-assignment.ts';
import { ContentionError, RequestAbandonedError } from './errors.ts';
import { EMPTY_HANDLE } from './handle.ts';
import { MAX_ATTEMPTS } from './own-blocks.ts';
import { rewriteBlock } from './stored-block.ts';

/**
 * Gives the handle what it asks for, in one transaction over its blocks and the handle: all addresses or
 * none. What the handle already holds counts, so that asking again gives the same answer.
 *
 * @throws {NoAddressError} If no pool gives an address.
 * @throws {AddressUnavailableError} If an address asked for by name is not to be had.
 * @throws {RequestAbandonedError} If the signal aborted before anything was assigned.
 * @throws {ContentionError} If others' writes kept overtaking this one.
 * @throws {UnavailableError} If no answer came: the outcome is unknown until the handle is released.
 */
export async function assign(allocator: Allocator, request: AssignRequest): Promise<Assignment> {
  const { datastore, node, own } = allocator;
  // A new container's handle is nearly always absent: assume so, and let a conflict tell.
  let stored: Entry | undefined;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const handle = stored ? decodeHandle(stored.value) : EMPTY_HANDLE;
    const draft = await draftAssignment(allocator, request, handle);
    if (draft.staged.size === 0) return assignmentOf(draft);
    if (request.signal?.aborted) throw new RequestAbandonedError(request.handle);
    try {
      const revision = await datastore.transact(transactionFor(node, request, stored, draft));
      for (const { before, after } of draft.staged.values()) {
        own.remember({ ...before, block: after, blockRevision: revision });
      }
      return assignmentOf(draft);
    } catch (error) {
      const conflict = error instanceof ConflictError ? error.key : undefined;
      for (const cidr of draft.staged.keys()) {
        if (conflict !== handleKey(request.handle)) own.forget(cidr);
      }
      if (!(error instanceof ConflictError)) throw error;
      if (conflict === handleKey(request.handle)) stored = error.actual;
    }
  }
  throw new ContentionError(`assigning addresses to ${request.handle}`, MAX_ATTEMPTS);
}

function assignmentOf({ placed }: DraftAssignment): Assignment {
  return {
    addresses: placed.map(({ address }) => address),
    blocks: placed.map(({ block }) => block),
  };
}

function transactionFor(
  node: string,
  request: AssignRequest,
  stored: Entry | undefined,
  draft: DraftAssignment,
): Transaction {
  const key = handleKey(request.handle);
  const rewrites = [...draft.staged].map(([cidr, { before, after }]) => ({
    ...rewriteBlock({ block: before.block, revision: before.blockRevision }, after),
    // Someone may be taking the block away: its claim is then no longer what we saw.
    claim: {
      type: 'revision',
      key: affinityKey({ type: 'host', name: node }, cidr),
      revision: before.affinityRevision,
    } as const,
  }));
  return {
    conditions: [
      stored ? { type: 'revision', key, revision: stored.revision } : { type: 'absent', key },
      ...rewrites.flatMap(({ condition, claim }) => [condition, claim]),
    ],
    operations: [
      ...rewrites.map(({ operation }) => operation),
      { type: 'put', key, value: encodeHandle(draft.handle) },
    ],
  };
}
