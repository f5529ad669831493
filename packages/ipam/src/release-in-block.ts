import type { AllocationBlock } from '@overland/model';
import { type IpAddress, ordinalOf } from '@overland/net';
import { type Allocation, allocationsOf, touched } from './block.ts';
import { withoutUnused, withReleaseTime } from './block-attributes.ts';
import { type Cooldown, withFreed } from './cooldown.ts';
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
export function releaseHandle(
  block: AllocationBlock,
  handle: string,
  cooldown: Cooldown,
): ReleasedInBlock {
  const held = allocationsOf(block).filter((allocation) => allocation.handle === handle);
  return withoutAllocations(block, held, cooldown);
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
  cooldown: Cooldown,
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
  return withoutAllocations(block, [...ending], cooldown);
}

/** Without a cooldown the addresses are free at once; else they rest, and every block that is loaded to be written looks after them. */
function withoutAllocations(
  block: AllocationBlock,
  released: readonly Allocation[],
  { now, seconds }: Cooldown,
): ReleasedInBlock {
  if (released.length === 0) return { block, released };
  const ordinals = released.map(({ ordinal }) => ordinal);
  if (seconds === 0) return { released, block: withFreed(block, ordinals) };
  const { attributes, index: resting } = withReleaseTime(block.attributes, now.toISOString());
  const leaving = new Set(ordinals);
  const allocations = block.allocations.map((index, ordinal) =>
    leaving.has(ordinal) ? resting : index,
  );
  const sequences = ordinals.map((ordinal) => [ordinal, block.sequenceNumber] as const);
  return {
    released,
    block: touched({
      ...block,
      ...withoutUnused(allocations, attributes),
      sequenceNumberForAllocation: {
        ...block.sequenceNumberForAllocation,
        ...Object.fromEntries(sequences),
      },
    }),
  };
}
