import type { BlockUsage, PoolUsage } from '@overland/ipam';
import { type Prefix, subnetAt, subnetCount } from '@overland/net';
import { ownerText } from './usage-text.ts';

/** One block of a pool, claimed or not. */
export interface MapCell {
  readonly cidr: Prefix;
  /** Absent for a block that nobody has made. */
  readonly block: BlockUsage | undefined;
}

/** The blocks of one pool. */
export interface BlockMap {
  readonly pool: PoolUsage;
  /** In address order: all blocks, or of a pool with too many those that exist. */
  readonly cells: readonly MapCell[];
  /** Whether blocks that nobody has made are left out. */
  readonly isSparse: boolean;
  /** Owners in the order in which their blocks come. */
  readonly owners: readonly string[];
}

/** A pool with more blocks is drawn without those that nobody has made. */
const MOST_CELLS = 4096;

export function blockMap(pool: PoolUsage): BlockMap {
  const { cidr, blockLength } = pool;
  const count = subnetCount(cidr, blockLength);
  const isSparse = count > MOST_CELLS;
  const known = new Map(pool.blocks.map((block) => [block.cidr, block]));
  const all = Array.from({ length: isSparse ? 0 : Number(count) }, (_, i) => {
    const at = subnetAt(cidr, blockLength, BigInt(i));
    return { cidr: at, block: known.get(at) };
  });
  const cells = isSparse ? pool.blocks.map((block) => ({ cidr: block.cidr, block })) : all;
  const owners = cells.flatMap(({ block }) => (block?.owner ? [ownerText(block.owner)] : []));
  return { pool, cells, isSparse, owners: [...new Set(owners)] };
}

/** Share of the addresses of a block that cannot be had: in use or cooling, 0 to 1. */
export function fillOf({ inUse, cooling, total }: BlockUsage): number {
  return (inUse + cooling) / total;
}
