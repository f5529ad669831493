import type { Handle } from '@overland/model';
import type { Prefix } from '@overland/net';

/** A handle that holds nothing yet. */
export const EMPTY_HANDLE: Handle = { blocks: {}, deleted: false, unknown: {} };

/**
 * The handle with the number of addresses it holds in one block; 0 forgets the block. Always the number
 * counted in the block, never one more or less than before: what Calico miscounted comes right again.
 */
export function withCount(handle: Handle, cidr: Prefix, count: number): Handle {
  const { [cidr]: _, ...others } = handle.blocks;
  return { ...handle, blocks: count > 0 ? { ...others, [cidr]: count } : others };
}

/** Whether the handle names no block, so that its key is deleted. */
export function isUnused(handle: Handle): boolean {
  return Object.keys(handle.blocks).length === 0;
}

/** The blocks in which the handle holds addresses. */
export function blocksOf(handle: Handle): Prefix[] {
  return Object.keys(handle.blocks) as Prefix[];
}

/** Whether the handle says of every block what was counted in it. */
export function sameCounts(handle: Handle, counts: Readonly<Record<string, number>>): boolean {
  const said = Object.entries(handle.blocks);
  return (
    said.length === Object.keys(counts).length &&
    said.every(([cidr, count]) => counts[cidr] === count)
  );
}
