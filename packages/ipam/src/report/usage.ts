import type { AffinityOwner } from '@overland/model';
import { contains, type IpAddress, ordinalOf, type Prefix, prefixSize } from '@overland/net';
import { type Allocation, allocationsOf, freeOrdinals, ownerOf } from '../block.ts';
import type { Survey, SurveyedBlock } from '../collect/survey.ts';
import { coolingOrdinals } from '../cooldown.ts';
import { reservedIn } from '../reservation.ts';

/** How full a block is. Numbers of addresses. */
export interface BlockUsage {
  readonly cidr: Prefix;
  /** `undefined`: nobody. */
  readonly owner: AffinityOwner | undefined;
  readonly total: number;
  readonly inUse: number;
  /** Released, and not handed out yet. */
  readonly cooling: number;
  /** What the next may have: neither in use, cooling nor reserved. */
  readonly free: number;
  /** Why it cannot be read; nothing is known of its addresses then. */
  readonly fault: string | undefined;
}

/** How full a pool is. Numbers of addresses, blocks that are not claimed yet included. */
export interface PoolUsage {
  readonly pool: string;
  readonly cidr: Prefix;
  /** Prefix length of its blocks, in bits. */
  readonly blockLength: number;
  readonly disabled: boolean;
  readonly total: bigint;
  readonly inUse: number;
  readonly cooling: number;
  readonly free: bigint;
  readonly blocks: readonly BlockUsage[];
}

/** Every pool that can be read, in address order as stored, with its blocks in address order. */
export function usageOf(survey: Survey): PoolUsage[] {
  const blocks = survey.blocks.map((block) => blockUsage(survey, block));
  return survey.pools.flatMap((pool) => {
    if (!('cidr' in pool)) return [];
    const own = blocks.filter(({ cidr }) => contains(pool.cidr, cidr));
    const inUse = sum(own, ({ inUse: used }) => used);
    const cooling = sum(own, ({ cooling: resting }) => resting);
    const total = prefixSize(pool.cidr);
    const { name, cidr, blockLength, disabled } = pool;
    const free = total - BigInt(inUse + cooling);
    return [{ pool: name, cidr, blockLength, disabled, total, inUse, cooling, free, blocks: own }];
  });
}

/** Blocks that lie in no pool. */
export function strayBlocks(survey: Survey): BlockUsage[] {
  return survey.blocks
    .filter(({ cidr }) => !survey.pools.some((pool) => 'cidr' in pool && contains(pool.cidr, cidr)))
    .map((block) => blockUsage(survey, block));
}

/** One address in use, and where it is from. */
export interface PlacedAllocation extends Allocation {
  readonly block: Prefix;
  readonly blockOwner: AffinityOwner | undefined;
  /** The endpoint or tunnel that has it. */
  readonly usedBy: string | undefined;
}

/** Every address in use in the cluster. */
export function allAllocations({ blocks, inUse }: Survey): PlacedAllocation[] {
  return blocks.flatMap(({ cidr, value }) =>
    value
      ? allocationsOf(value).map((allocation) => ({
          ...allocation,
          block: cidr,
          blockOwner: ownerOf(value),
          usedBy: inUse.get(allocation.address),
        }))
      : [],
  );
}

/** Those that a node has from the block of another. */
export function borrowedAddresses(survey: Survey): PlacedAllocation[] {
  return allAllocations(survey).filter(
    ({ attributes: { node }, blockOwner }) =>
      node !== undefined && (blockOwner?.type !== 'host' || blockOwner.name !== node),
  );
}

/** What is known of one address. */
export interface AddressState {
  readonly address: IpAddress;
  readonly pool: string | undefined;
  readonly block: Prefix | undefined;
  readonly state: 'in use' | 'cooling down' | 'free' | 'reserved' | 'in no pool';
  readonly allocation: PlacedAllocation | undefined;
}

/** Looks one address up. */
export function addressState(survey: Survey, address: IpAddress): AddressState {
  const pool = survey.pools.find((each) => 'cidr' in each && contains(each.cidr, address))?.name;
  const block = survey.blocks.find(({ cidr }) => contains(cidr, address));
  const allocation = allAllocations(survey).find((each) => each.address === address);
  const cooling =
    block?.value &&
    coolingOrdinals(block.value).some((ordinal) => isAt(block.cidr, ordinal, address));
  const isReserved = survey.reserved.some((range) => contains(range, address));
  const state = allocation
    ? 'in use'
    : cooling
      ? 'cooling down'
      : pool === undefined && !block
        ? 'in no pool'
        : isReserved
          ? 'reserved'
          : 'free';
  return { address, pool, block: block?.cidr, state, allocation };
}

function isAt(block: Prefix, ordinal: number, address: IpAddress): boolean {
  return Number(ordinalOf(block, address)) === ordinal;
}

function blockUsage(survey: Survey, { cidr, value, fault }: SurveyedBlock): BlockUsage {
  const total = Number(prefixSize(cidr));
  if (!value) return { cidr, owner: undefined, total, inUse: 0, cooling: 0, free: 0, fault };
  return {
    cidr,
    owner: ownerOf(value),
    total,
    inUse: allocationsOf(value).length,
    cooling: coolingOrdinals(value).length,
    free: freeOrdinals(value, reservedIn(survey.reserved, cidr)).length,
    fault: undefined,
  };
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
