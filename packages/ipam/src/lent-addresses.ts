import type { AllocationBlock } from '@overland/model';
import { hostPrefix, type Prefix } from '@overland/net';
import { allocationsOf } from './block.ts';

/** Addresses of a node's own block that other nodes hold. Whoever holds one and is of no known node is left out. */
export function lentAddresses(block: AllocationBlock, owner: string): Prefix[] {
  return allocationsOf(block)
    .filter(({ attributes: { node } }) => node !== undefined && node !== owner)
    .map(({ address }) => hostPrefix(address));
}
