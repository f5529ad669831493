import type { AllocationBlock } from '@overland/model';
import { touched } from './block.ts';
import { withoutUnused } from './block-attributes.ts';
import { type Instant, instantOf } from './instant.ts';

/** How long a released address rests, and the time it is. */
export interface Cooldown {
  readonly now: Instant;
  /** 0: released addresses are free at once. */
  readonly seconds: number;
}

/** The ordinals that were released and may not be handed out yet, or were not freed yet. */
export function coolingOrdinals(block: AllocationBlock): number[] {
  return [...block.allocations.keys()].filter(
    (ordinal) => releasedAt(block, ordinal) !== undefined,
  );
}

/**
 * Frees the addresses that have rested long enough, to the tail. Nobody does it in the background: whoever loads a
 * block to write it does this first.
 *
 * @returns The same object if there are none.
 */
export function collectCooled(block: AllocationBlock, { now, seconds }: Cooldown): AllocationBlock {
  // Nearly always: this is on the way of every assignment.
  if (block.attributes.every((attribute) => attribute.releasedAt === undefined)) return block;
  const cooled = coolingOrdinals(block).filter((ordinal) => {
    const since = instantOf(releasedAt(block, ordinal) ?? '');
    // A time that cannot be read must not keep the address for ever.
    return !(since + seconds * 1000 > now.getTime());
  });
  return cooled.length === 0 ? block : withFreed(block, cooled);
}

/** The block with the ordinals at the tail of the free ones, so that they are used again as late as possible. */
export function withFreed(block: AllocationBlock, ordinals: readonly number[]): AllocationBlock {
  const freed = new Set(ordinals);
  const allocations = block.allocations.map((index, ordinal) =>
    freed.has(ordinal) ? null : index,
  );
  const sequences = Object.entries(block.sequenceNumberForAllocation);
  return touched({
    ...block,
    ...withoutUnused(allocations, block.attributes),
    unallocated: [...block.unallocated.filter((ordinal) => !freed.has(ordinal)), ...freed],
    sequenceNumberForAllocation: Object.fromEntries(
      sequences.filter(([ordinal]) => !freed.has(Number(ordinal))),
    ),
  });
}

function releasedAt(block: AllocationBlock, ordinal: number): string | undefined {
  const index = block.allocations[ordinal];
  return index === null || index === undefined ? undefined : block.attributes[index]?.releasedAt;
}
