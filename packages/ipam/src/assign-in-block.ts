import type { AllocationBlock } from '@overland/model';
import { addressAt, type IpAddress, ordinalOf } from '@overland/net';
import { freeOrdinals, touched } from './block.ts';
import { type Holder, withHolder } from './block-attributes.ts';

/** A block after an assignment, and what was assigned. */
export interface AssignedInBlock {
  readonly block: AllocationBlock;
  readonly addresses: readonly IpAddress[];
}

/**
 * Assigns up to `count` free addresses, the longest unused first.
 *
 * @param isReserved Ordinals to pass over.
 * @returns Fewer than `count` addresses if the block has no more.
 */
export function assignFree(
  block: AllocationBlock,
  count: number,
  holder: Holder,
  isReserved?: (ordinal: number) => boolean,
): AssignedInBlock {
  return assignOrdinals(block, freeOrdinals(block, isReserved).slice(0, count), holder);
}

/**
 * Assigns one address of the block.
 *
 * @returns `undefined` if it is in use or cooling down.
 * @throws {RangeError} If the block does not hold the address.
 */
export function assignAddress(
  block: AllocationBlock,
  address: IpAddress,
  holder: Holder,
): AssignedInBlock | undefined {
  const ordinal = Number(ordinalOf(block.cidr, address));
  if (block.allocations[ordinal] !== null) return undefined;
  return assignOrdinals(block, [ordinal], holder);
}

function assignOrdinals(
  block: AllocationBlock,
  ordinals: readonly number[],
  holder: Holder,
): AssignedInBlock {
  if (ordinals.length === 0) return { block, addresses: [] };
  const { attributes, index } = withHolder(block.attributes, holder);
  const taken = new Set(ordinals);
  const sequences = ordinals.map((ordinal) => [ordinal, block.sequenceNumber] as const);
  return {
    addresses: ordinals.map((ordinal) => addressAt(block.cidr, ordinal)),
    block: touched({
      ...block,
      attributes,
      allocations: block.allocations.map((held, ordinal) => (taken.has(ordinal) ? index : held)),
      unallocated: block.unallocated.filter((ordinal) => !taken.has(ordinal)),
      sequenceNumberForAllocation: {
        ...block.sequenceNumberForAllocation,
        ...Object.fromEntries(sequences),
      },
    }),
  };
}
