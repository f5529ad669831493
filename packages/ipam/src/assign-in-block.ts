import type { AllocationAttribute, AllocationBlock } from '@overland/model';
import { addressAt, type IpAddress, ordinalOf } from '@overland/net';
import { freeOrdinals, handleOf, touched } from './block.ts';

/** Who an address is for. */
export interface Holder {
  readonly handle: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A block after an assignment, and what was assigned. */
export interface AssignedInBlock {
  readonly block: AllocationBlock;
  readonly addresses: readonly IpAddress[];
}

/**
 * Assigns up to `count` free addresses, the longest unused first.
 *
 * @returns Fewer than `count` addresses if the block has no more.
 */
export function assignFree(block: AllocationBlock, count: number, holder: Holder): AssignedInBlock {
  return assignOrdinals(block, freeOrdinals(block).slice(0, count), holder);
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
  const { attributes, index } = withAttribute(block.attributes, holder);
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

/** Finds the holder among the attributes, or adds it: addresses of one holder share one attribute. */
function withAttribute(
  attributes: readonly AllocationAttribute[],
  holder: Holder,
): { readonly attributes: readonly AllocationAttribute[]; readonly index: number } {
  const found = attributes.findIndex(
    (attribute) =>
      handleOf(attribute) === holder.handle &&
      attribute.releasedAt === undefined &&
      sameText(attribute.secondary ?? {}, holder.attributes),
  );
  if (found >= 0) return { attributes, index: found };
  const added = {
    handleId: holder.handle,
    secondary: holder.attributes,
    alternateOwnerAttributes: undefined,
    releasedAt: undefined,
    unknown: {},
  };
  return { attributes: [...attributes, added], index: attributes.length };
}

function sameText(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
