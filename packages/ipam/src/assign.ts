import {
  type Condition,
  ConflictError,
  type Entry,
  LimitError,
  type Transaction,
} from '@overland/datastore';
import { affinityKey, encodeHandle, handleKey } from '@overland/model';
import { type Assignment, type AssignRequest, MAX_COUNT } from './assign-request.ts';
import { ownerOf } from './block.ts';
import { type Allocator, DraftAssignment } from './draft-assignment.ts';
import { ContentionError, RequestAbandonedError } from './errors.ts';
import { MAX_ATTEMPTS } from './own-blocks.ts';
import { rewriteBlock } from './stored-block.ts';

/** What became of one request of several. */
export type AssignOutcome = PromiseSettledResult<Assignment>;

/** Most requests that share a transaction: etcd's 128 conditions, less those of the blocks. */
export const MAX_BATCH = 32;

/**
 * Gives each handle what it asks for, in one transaction over all blocks and handles: each gets all of its addresses or
 * none. What a handle already holds counts, so that asking again gives the same answer.
 *
 * @param requests Of different handles. One that cannot be met does not keep the others from theirs.
 * @returns The outcomes in order. Reasons of failures:
 *   `NoAddressError` if no pool gives an address;
 *   `AddressUnavailableError` if an address asked for by name is not to be had;
 *   `RequestAbandonedError` if the signal aborted before anything was assigned;
 *   `ContentionError` if others' writes kept overtaking this one;
 *   `UnavailableError` if no answer came: the outcome is unknown until the handle is released.
 */
export async function assignAll(
  allocator: Allocator,
  requests: readonly AssignRequest[],
): Promise<AssignOutcome[]> {
  const batch = new Batch(allocator, requests);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    try {
      if (await batch.attempt()) return batch.outcomes();
    } catch (reason) {
      if (!(reason instanceof LimitError) || requests.length === 1) return batch.outcomes(reason);
      // Together they touch too many blocks.
      const half = requests.length >> 1;
      return [
        ...(await assignAll(allocator, requests.slice(0, half))),
        ...(await assignAll(allocator, requests.slice(half))),
      ];
    }
  }
  return batch.outcomes(new ContentionError(`assigning to ${nameOf(requests)}`, MAX_ATTEMPTS));
}

class Batch {
  readonly #allocator: Allocator;
  readonly #requests: readonly AssignRequest[];
  /** A new container's handle is nearly always absent: assume so, and let a conflict tell. */
  readonly #stored = new Map<string, Entry | undefined>();
  readonly #settled = new Map<AssignRequest, AssignOutcome>();

  constructor(allocator: Allocator, requests: readonly AssignRequest[]) {
    this.#allocator = allocator;
    this.#requests = requests;
  }

  /** @returns Whether every request is settled. */
  async attempt(): Promise<boolean> {
    const draft = new DraftAssignment(this.#allocator);
    const drafted = new Map<AssignRequest, Assignment>();
    for (const request of this.#requests) {
      if (this.#settled.has(request)) continue;
      try {
        refuseImpossible(request);
        drafted.set(request, await draft.add(request, this.#stored.get(request.handle)));
      } catch (reason) {
        this.#settled.set(request, { status: 'rejected', reason });
      }
    }
    if (draft.staged.size > 0 && !(await this.#write(draft))) return false;
    for (const [request, value] of drafted) {
      this.#settled.set(request, { status: 'fulfilled', value });
    }
    return true;
  }

  /** @param reason Of those that are not settled. */
  outcomes(reason?: unknown): AssignOutcome[] {
    return this.#requests.map(
      (request) => this.#settled.get(request) ?? { status: 'rejected', reason },
    );
  }

  async #write(draft: DraftAssignment): Promise<boolean> {
    const { datastore, own } = this.#allocator;
    const late = this.#requests.filter(
      ({ handle, signal }) => signal?.aborted && draft.handles.has(handle),
    );
    for (const request of late) {
      const reason = new RequestAbandonedError(request.handle);
      this.#settled.set(request, { status: 'rejected', reason });
    }
    // What they would have got is in the draft: begin without them.
    if (late.length > 0) return false;
    try {
      const revision = await datastore.transact(this.#transaction(draft));
      for (const { before, after } of draft.staged.values()) {
        if (before.affinityRevision)
          own.remember({ ...before, block: after, blockRevision: revision });
      }
      return true;
    } catch (error) {
      const conflict = error instanceof ConflictError ? error : undefined;
      const handle = [...draft.handles.keys()].find((id) => handleKey(id) === conflict?.key);
      if (conflict && handle !== undefined) this.#stored.set(handle, conflict.actual);
      else for (const cidr of draft.staged.keys()) own.forget(cidr);
      if (!conflict) throw error;
      return false;
    }
  }

  #transaction(draft: DraftAssignment): Transaction {
    const conditions: Condition[] = [];
    const blocks = [...draft.staged.values()].map(({ before, after }) => {
      const { condition, operation } = rewriteBlock({ revision: before.blockRevision }, after);
      conditions.push(condition);
      const owner = ownerOf(before.block);
      if (owner && before.affinityRevision) {
        // Someone may be taking the block away: its claim is then no longer what we saw.
        const key = affinityKey(owner, after.cidr);
        conditions.push({ type: 'revision', key, revision: before.affinityRevision });
      }
      return operation;
    });
    const handles = [...draft.handles].map(([id, handle]) => {
      const key = handleKey(id);
      const stored = this.#stored.get(id);
      conditions.push(
        stored ? { type: 'revision', key, revision: stored.revision } : { type: 'absent', key },
      );
      return { type: 'put', key, value: encodeHandle(handle) } as const;
    });
    return { conditions, operations: [...blocks, ...handles] };
  }
}

function refuseImpossible({ handle, count = 1 }: AssignRequest): void {
  if (Number.isSafeInteger(count) && count >= 1 && count <= MAX_COUNT) return;
  throw new RangeError(`count of ${handle} is ${count}: must be 1 to ${MAX_COUNT}`);
}

function nameOf(requests: readonly AssignRequest[]): string {
  const [first] = requests;
  const others = requests.length > 1 ? ` and ${requests.length - 1} others` : '';
  return `${first?.handle}${others}`;
}
