import {
  type AffinityOwner,
  type AllocationAttribute,
  type AllocationBlock,
  decodeBlock,
} from '@overland/model';
import {
  ADDRESS_BITS,
  addressAt,
  familyOf,
  type IpAddress,
  type Prefix,
  prefixLength,
} from '@overland/net';
import { InconsistentBlockError } from './errors.ts';
import type { Instant } from './instant.ts';

/** The affinity of an owner's blocks, as it stands in them: `host:host11`. */
export function affinityText({ type, name }: AffinityOwner): string {
  return `${type}:${name}`;
}

/** The inverse of {@link affinityText}; `undefined` for a block that nobody owns, or one of a type unknown to us. */
export function ownerOf({ affinity }: AllocationBlock): AffinityOwner | undefined {
  const [, type, name] = /^(host|virtual):(.+)$/s.exec(affinity ?? '') ?? [];
  if (name === undefined) return undefined;
  return { type: type === 'virtual' ? 'virtual' : 'host', name };
}

/** Number of addresses a block of this prefix has. */
function blockSize(cidr: Prefix): number {
  return 2 ** (ADDRESS_BITS[familyOf(cidr)] - prefixLength(cidr));
}

/** Addresses at both ends of each new block that its owner never hands out (Windows: 3 and 1). */
export interface KeptFree {
  readonly first: number;
  readonly last: number;
}

/**
 * A new block. All of its addresses can be assigned, the first and the last too: containers get host routes, so none
 * is a network or broadcast address (docs/decisions/0041) unless the owner says so.
 *
 * @param claimedAt Also seeds the sequence number: an address of a block that was deleted and made again
 *   never repeats one (Calico does the same).
 * @throws {RangeError} If nothing is left to assign.
 */
export function newBlock(
  cidr: Prefix,
  owner: AffinityOwner,
  claimedAt: Instant,
  { first, last }: KeptFree = { first: 0, last: 0 },
): AllocationBlock {
  const size = blockSize(cidr);
  if (first + last >= size && first + last > 0) {
    throw new RangeError(`block ${cidr} has ${size} addresses, and ${first + last} are kept free`);
  }
  const isKept = (ordinal: number): boolean => ordinal < first || ordinal >= size - last;
  const ordinals = Array.from({ length: size }, (_, ordinal) => ordinal);
  return {
    cidr,
    affinity: affinityText(owner),
    affinityClaimTime: claimedAt.toISOString(),
    allocations: ordinals.map((ordinal) => (isKept(ordinal) ? 0 : null)),
    unallocated: ordinals.filter((ordinal) => !isKept(ordinal)),
    attributes: first + last > 0 ? [KEPT_FREE] : [],
    sequenceNumber: BigInt(claimedAt.getTime()) * 1_000_000n,
    sequenceNumberForAllocation: {},
    deleted: false,
    unknown: {},
  };
}

/** The same block with the next sequence number: what a writer stores to defeat others that read the old one. */
export function touched(block: AllocationBlock): AllocationBlock {
  return { ...block, sequenceNumber: block.sequenceNumber + 1n };
}

/**
 * The ordinals that may be handed out, in order. Ordinals listed as free by mistake are left out.
 *
 * @param isReserved Those that only who asks for them by name may have.
 */
export function freeOrdinals(
  block: AllocationBlock,
  isReserved: (ordinal: number) => boolean = () => false,
): number[] {
  return block.unallocated.filter(
    (ordinal) => block.allocations[ordinal] === null && !isReserved(ordinal),
  );
}

/** Holds the addresses that are kept free in each block. It is in no handle record. */
export const RESERVED_HANDLE = 'windows-reserved-ipam-handle';

const KEPT_FREE: AllocationAttribute = {
  handleId: RESERVED_HANDLE,
  secondary: { note: 'windows host rsvd' },
  alternateOwnerAttributes: undefined,
  releasedAt: undefined,
  unknown: {},
};

/** Whether no address is held or cooling down. Addresses that every block keeps free do not count. */
export function isEmpty(block: AllocationBlock): boolean {
  return block.allocations.every(
    (index) => index === null || handleOf(block.attributes[index]) === RESERVED_HANDLE,
  );
}

/** One address in use. */
export interface Allocation {
  readonly address: IpAddress;
  readonly ordinal: number;
  /** `undefined` if it was assigned without one. */
  readonly handle: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** Precondition for a release that must not hit a later holder; 0 if the writer recorded none. */
  readonly sequence: bigint;
}

/** Every address in use, in address order. Those that cool down are not. */
export function allocationsOf(block: AllocationBlock): Allocation[] {
  return block.allocations.flatMap((index, ordinal) => {
    const attribute = index === null ? undefined : block.attributes[index];
    if (!attribute || attribute.releasedAt !== undefined) return [];
    return {
      address: addressAt(block.cidr, ordinal),
      ordinal,
      handle: handleOf(attribute),
      attributes: attribute.secondary ?? {},
      sequence: block.sequenceNumberForAllocation[ordinal] ?? 0n,
    };
  });
}

/** How many addresses a handle has in the block. */
export function countHeld(block: AllocationBlock, handle: string): number {
  const own = new Set(
    block.attributes.flatMap((attribute, index) =>
      attribute.releasedAt === undefined && handleOf(attribute) === handle ? index : [],
    ),
  );
  return block.allocations.filter((index) => index !== null && own.has(index)).length;
}

/**
 * The handle of an attribute. Cut at the first carriage return: a migration once wrote them with trailing
 * text (projectcalico/cni-plugin#821).
 */
export function handleOf(attribute: AllocationAttribute | undefined): string | undefined {
  const id = attribute?.handleId;
  if (!id) return undefined;
  const end = id.indexOf('\r');
  return end < 0 ? id : id.slice(0, end) || undefined;
}

/**
 * Reads a stored block.
 *
 * @throws {InconsistentBlockError} If its lists contradict each other, so that assigning from it could give
 *   an address twice. An ordinal that is listed as free although it is held does no harm and is let pass.
 */
export function readableBlock(text: string): AllocationBlock {
  const block = decodeBlock(text);
  const dangling = block.allocations.findIndex(
    (index) => index !== null && block.attributes[index] === undefined,
  );
  if (dangling >= 0) {
    throw new InconsistentBlockError(block.cidr, `address number ${dangling} has no attribute`);
  }
  const seen = new Set<number>();
  const stray = block.unallocated.find(
    (ordinal) => ordinal >= block.allocations.length || seen.size === seen.add(ordinal).size,
  );
  if (stray !== undefined) {
    throw new InconsistentBlockError(
      block.cidr,
      `free address number ${stray} is not one of its own, or listed twice`,
    );
  }
  return block;
}
