import type { Condition, Datastore, Operation, Revision } from '@overland/datastore';
import { type AllocationBlock, blockKey, encodeBlock } from '@overland/model';
import type { Prefix } from '@overland/net';
import { readableBlock } from './block.ts';

/** A block and the revision it was read at. */
export interface StoredBlock {
  readonly block: AllocationBlock;
  readonly revision: Revision;
}

/** Reads a block. @returns `undefined` if there is none. */
export async function readBlock(
  datastore: Datastore,
  cidr: Prefix,
): Promise<StoredBlock | undefined> {
  const entry = await datastore.get(blockKey(cidr));
  return entry && { block: readableBlock(entry.value), revision: entry.revision };
}

/** The condition and the operation that replace a stored block by another value. */
export function rewriteBlock(
  { revision }: Pick<StoredBlock, 'revision'>,
  block: AllocationBlock,
): { readonly condition: Condition; readonly operation: Operation } {
  const key = blockKey(block.cidr);
  return {
    condition: { type: 'revision', key, revision },
    operation: { type: 'put', key, value: encodeBlock(block) },
  };
}
