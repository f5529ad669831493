import { type AllocationAttribute, type AllocationBlock, decodeBlock } from '@overland/model';
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

/** The affinity of a host's own blocks. */
export function hostAffinity(node: string): string {
  return `host:${node}`;
}

/** Number of addresses a block of this prefix has. */
function blockSize(cidr: Prefix): number {
  return 2 ** (ADDRESS_BITS[familyOf(cidr)] - prefixLength(cidr));
}

/**
 * A block with every address free. All of them can be assigned, the first and the last too: containers
 * get host routes, so none is a network or broadcast address (docs/decisions/0041).
 *
 * @param claimedAt Also seeds the sequence number: an address of a block that was deleted and made again
 *   never repeats one (Calico does the same).
 */
export function newBlock(cidr: Prefix, affinity: string, claimedAt: Instant): AllocationBlock {
  const size = blockSize(cidr);
  return {
    cidr,
    affinity,
    affinityClaimTime: claimedAt.toISOString(),
    allocations: Array<null>(size).fill(null),
    unallocated: Array.from({ length: size }, (_, ordinal) => ordinal),
    attributes: [],
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

/** The ordinals that may be handed out, in order. Ordinals listed as free by mistake are left out. */
export function freeOrdinals(block: AllocationBlock): number[] {
  return block.unallocated.filter((ordinal) => block.allocations[ordinal] === null);
}

/** Whether no address is held or cooling down. */
export function isEmpty(block: AllocationBlock): boolean {
  return block.allocations.every((index) => index === null);
}

/** One address in use. */
export interface Allocation {
  readonly address: IpAddress;
  readonly ordinal: number;
  /** `undefined` for an address that is cooling down or was assigned without one. */
  readonly handle: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  /** Precondition for a release that must not hit a later holder; 0 if the writer recorded none. */
  readonly sequence: bigint;
}

/** Every address in use, in address order. */
export function allocationsOf(block: AllocationBlock): Allocation[] {
  return block.allocations.flatMap((index, ordinal) => {
    if (index === null) return [];
    const attribute = block.attributes[index];
    return {
      address: addressAt(block.cidr, ordinal),
      ordinal,
      handle: handleOf(attribute),
      attributes: attribute?.secondary ?? {},
      sequence: block.sequenceNumberForAllocation[ordinal] ?? 0n,
    };
  });
}

/**
 * The handle of an attribute. Cut at the first carriage return: a migration once wrote them with trailing
 * text (projectcalico/cni-plugin#821).
 */
export function handleOf(attribute: AllocationAttribute | undefined): string | undefined {
  return attribute?.handleId?.split('\r')[0] || undefined;
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
  const stray = block.unallocated.find(
    (ordinal, i) => ordinal >= block.allocations.length || block.unallocated.indexOf(ordinal) !== i,
  );
  if (stray !== undefined) {
    throw new InconsistentBlockError(
      block.cidr,
      `free address number ${stray} is not one of its own, or listed twice`,
    );
  }
  return block;
}
