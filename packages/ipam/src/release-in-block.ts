import type { AllocationBlock } from '@overland/model';
import { type IpAddress, ordinalOf } from '@overland/net';
import { type Allocation, allocationsOf, touched } from './block.ts';
import { StaleReleaseError } from './errors.ts';

/** One address to give back, and what must still be true of it. */
export interface Release {
  readonly address: IpAddress;
  /** Only if this handle holds it. */
  readonly handle?: string;
  /** Only if it has not been assigned anew since: the sequence number of its allocation. */
  readonly sequence?: bigint;
}

/** A block after a release, and the allocations that ended. */
export interface ReleasedInBlock {
  readonly block: AllocationBlock;
  readonly released: readonly Allocation[];
}

/** Gives back every address that `handle` holds. */
export function releaseHandle(block: AllocationBlock, handle: string): ReleasedInBlock {
  return withoutAllocations(
    block,
    allocationsOf(block).filter((allocation) => allocation.handle === handle),
  );
}

/**
 * Gives back the named addresses. One that is not in use is skipped.
 *
 * @throws {StaleReleaseError} If a precondition does not hold: the whole batch is refused, because its
 *   sender acts on old knowledge.
 */
export function releaseAddresses(
  block: AllocationBlock,
  releases: readonly Release[],
): ReleasedInBlock {
  const inUse = new Map(allocationsOf(block).map((allocation) => [allocation.ordinal, allocation]));
  const ending = new Set<Allocation>();
  for (const { address, handle, sequence } of releases) {
    const allocation = inUse.get(Number(ordinalOf(block.cidr, address)));
    const actual = allocation?.sequence ?? 0n;
    if (sequence !== undefined && sequence !== actual) {
      throw new StaleReleaseError(address, 'sequence', `${sequence}`, `${actual}`);
    }
    if (!allocation) continue;
    if (handle !== undefined && handle !== allocation.handle) {
      throw new StaleReleaseError(address, 'handle', handle, allocation.handle ?? '');
    }
    ending.add(allocation);
  }
  return withoutAllocations(block, [...ending]);
}

/** Frees the ordinals to the tail, so that they are used again as late as possible, and drops unused attributes. */
function withoutAllocations(
  block: AllocationBlock,
  released: readonly Allocation[],
): ReleasedInBlock {
  if (released.length === 0) return { block, released };
  const freed = new Set(released.map(({ ordinal }) => ordinal));
  const allocations = block.allocations.map((index, ordinal) =>
    freed.has(ordinal) ? null : index,
  );
  const sequences = Object.entries(block.sequenceNumberForAllocation);
  return {
    released,
    block: touched({
      ...block,
      ...withoutUnused(allocations, block.attributes),
      unallocated: [...block.unallocated.filter((ordinal) => !freed.has(ordinal)), ...freed],
      sequenceNumberForAllocation: Object.fromEntries(
        sequences.filter(([ordinal]) => !freed.has(Number(ordinal))),
      ),
    }),
  };
}

function withoutUnused(
  allocations: AllocationBlock['allocations'],
  attributes: AllocationBlock['attributes'],
): Pick<AllocationBlock, 'allocations' | 'attributes'> {
  const used = new Set(allocations);
  const kept = [...attributes.keys()].filter((index) => used.has(index));
  const renumbered = new Map(kept.map((index, position) => [index, position]));
  return {
    attributes: attributes.filter((_, index) => renumbered.has(index)),
    allocations: allocations.map((index) =>
      index === null ? null : (renumbered.get(index) ?? null),
    ),
  };
}
