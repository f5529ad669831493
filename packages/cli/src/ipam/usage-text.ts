import type { BlockUsage, PlacedAllocation, PoolUsage } from '@overland/ipam';
import type { AffinityOwner } from '@overland/model';
import type { Column } from '../table.ts';

/** A line of `ipam show`: a pool, or a block of it. Columns as calicoctl's. */
export interface UsageRow {
  readonly grouping: string;
  readonly cidr: string;
  readonly total: bigint;
  readonly inUse: number;
  readonly cooling: number;
  readonly free: bigint;
}

const PERCENT = 100n;

export const USAGE_COLUMNS: readonly Column<UsageRow>[] = [
  { title: 'GROUPING', cell: ({ grouping }) => grouping },
  { title: 'CIDR', cell: ({ cidr }) => cidr },
  { title: 'IPS TOTAL', align: 'right', cell: ({ total }) => `${total}` },
  {
    title: 'IPS IN USE',
    align: 'right',
    cell: ({ inUse, total }) => `${inUse} (${share(BigInt(inUse), total)})`,
  },
  { title: 'COOLING', align: 'right', cell: ({ cooling }) => cooling },
  {
    title: 'IPS FREE',
    align: 'right',
    cell: ({ free, total }) => `${free} (${share(free, total)})`,
  },
];

export const BORROWED_COLUMNS: readonly Column<PlacedAllocation>[] = [
  { title: 'IP', cell: ({ address }) => address },
  { title: 'BORROWING-NODE', cell: ({ attributes }) => attributes.node ?? '' },
  { title: 'BLOCK', cell: ({ block }) => block },
  { title: 'BLOCK OWNER', cell: ({ blockOwner }) => ownerText(blockOwner) },
  { title: 'TYPE', cell: (allocation) => typeOf(allocation) },
  { title: 'ALLOCATED-TO', cell: ({ usedBy, handle }) => usedBy ?? handle ?? '' },
];

/** A pool, and its blocks below it if they are asked for. */
export function usageRows(pool: PoolUsage, withBlocks: boolean): UsageRow[] {
  const { cidr, total, inUse, cooling, free } = pool;
  const row = { grouping: 'IP Pool', cidr, total, inUse, cooling, free };
  return withBlocks ? [row, ...pool.blocks.map(blockRow)] : [row];
}

export function blockRow({ cidr, total, inUse, cooling, free, fault }: BlockUsage): UsageRow {
  const grouping = fault === undefined ? 'Block' : 'Block (unreadable)';
  return { grouping, cidr, total: BigInt(total), inUse, cooling, free: BigInt(free) };
}

/** `host11`, `virtual:load-balancer`, or `-` for nobody. */
export function ownerText(owner: AffinityOwner | undefined): string {
  if (!owner) return '-';
  return owner.type === 'host' ? owner.name : `virtual:${owner.name}`;
}

function typeOf({ attributes }: PlacedAllocation): string {
  return attributes.type ?? (attributes.pod ? 'pod' : 'workload');
}

function share(part: bigint, total: bigint): string {
  return `${(part * PERCENT + total / 2n) / (total || 1n)}%`;
}
