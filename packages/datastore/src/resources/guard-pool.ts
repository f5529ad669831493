import {
  blockPrefix,
  creationGuardKey,
  type Fault,
  type IpPool,
  parseBlockKey,
} from '@overland/model';
import { familyOf, overlaps, type Prefix, prefixLength } from '@overland/net';
import type { Condition, Datastore } from '../datastore.ts';
import type { Guard } from './guard-creation.ts';
import { listResources } from './resource-list.ts';

/**
 * A new pool must not overlap another one, nor blocks that are cut in another size: Calico's client checks the same.
 * Pools are created one after the other, by a key of ours that each creation writes; Calico's tools do not know it.
 */
export async function guardPool(store: Datastore, pool: IpPool): Promise<Guard> {
  const key = creationGuardKey('IPPool');
  const before = await store.get(key);
  const faults = [...(await overlappingPools(store, pool)), ...(await foreignBlocks(store, pool))];
  const condition: Condition = before
    ? { type: 'revision', key, revision: before.revision }
    : { type: 'absent', key };
  return { faults, conditions: [condition], operations: [{ type: 'put', key, value: '' }] };
}

async function overlappingPools(store: Datastore, pool: IpPool): Promise<Fault[]> {
  const { resources } = await listResources(store, 'IPPool');
  return resources
    .filter(({ metadata }) => metadata.name !== pool.metadata.name)
    .filter(({ spec }) => overlaps(spec.cidr, pool.spec.cidr))
    .map(({ metadata, spec }) => ({
      path: 'spec.cidr',
      value: pool.spec.cidr,
      rule: `must not overlap the pool ${metadata.name} (${spec.cidr})`,
    }));
}

/** One fault for all blocks that this pool would cut otherwise. */
async function foreignBlocks(store: Datastore, { spec }: IpPool): Promise<Fault[]> {
  let first: Prefix | undefined;
  let after: string | undefined;
  do {
    const page = await store.list(blockPrefix(familyOf(spec.cidr)), {
      ...(after !== undefined && { after }),
    });
    for (const { key } of page.entries) {
      const block = parseBlockKey(key);
      if (!block || !overlaps(block, spec.cidr) || prefixLength(block) === spec.blockSize) continue;
      first ??= block;
    }
    after = page.next;
  } while (after !== undefined && first === undefined);
  if (first === undefined) return [];
  const rule = `must be ${prefixLength(first)}: there are blocks of that size in the range, as ${first}`;
  return [{ path: 'spec.blockSize', value: spec.blockSize, rule }];
}
