import { type AnyResource, isBuiltInTier, isTieredPolicy } from '@overland/model';
import type { Condition, Datastore, Entry } from '../datastore.ts';
import { ConflictError } from '../errors.ts';
import { describeName, RefusedError } from './resource-errors.ts';
import { resourcePages } from './resource-list.ts';
import { keyOf } from './stored-resource.ts';

/** Kinds whose objects are in a tier. */
const TIERED = [
  'NetworkPolicy',
  'GlobalNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedGlobalNetworkPolicy',
] as const;

/** The tier that an object is in; `undefined` if it is of a kind without tiers. */
export function tierOf({ kind, spec }: AnyResource): string | undefined {
  const tier = isTieredPolicy(kind) && 'tier' in spec ? spec.tier : undefined;
  return typeof tier === 'string' ? tier : undefined;
}

/** That the tier which an update moves a policy to exists. */
export function tierConditions(before: AnyResource, after: AnyResource): Condition[] {
  const tier = tierOf(after);
  if (tier === undefined || tier === tierOf(before)) return [];
  return [{ type: 'present', key: keyOf('Tier', { name: tier }) }];
}

/**
 * Removes a tier, which must be empty and not one that every cluster has.
 *
 * No transaction can demand that a range of keys is empty. So it is looked at twice: if a policy was put into the
 * tier between the first look and the removal, the tier is put back.
 *
 * @param remove Removes the stored tier, if it is still in the state that was read before.
 * @throws {RefusedError} If the tier must stay.
 */
export async function removeTier<T>(
  store: Datastore,
  entry: Entry,
  remove: () => Promise<T>,
): Promise<T> {
  const name = entry.key.slice(entry.key.lastIndexOf('/') + 1);
  if (isBuiltInTier(name)) {
    throw new RefusedError(
      `${describeName('Tier', { name })} cannot be deleted: every cluster has it`,
    );
  }
  await refuseIfUsed(store, name);
  const removed = await remove();
  try {
    await refuseIfUsed(store, name);
  } catch (error) {
    if (error instanceof RefusedError) await putBack(store, entry);
    throw error;
  }
  return removed;
}

async function refuseIfUsed(store: Datastore, tier: string): Promise<void> {
  for (const kind of TIERED) {
    for await (const { resources } of resourcePages(store, kind)) {
      const policy = resources.find(({ spec }) => spec.tier === tier);
      if (policy) {
        throw new RefusedError(
          `${describeName('Tier', { name: tier })} cannot be deleted: ${describeName(kind, policy.metadata)} is in it`,
        );
      }
    }
  }
}

async function putBack(store: Datastore, { key, value }: Entry): Promise<void> {
  const conditions = [{ type: 'absent', key }] as const;
  try {
    await store.transact({ conditions, operations: [{ type: 'put', key, value }] });
  } catch (error) {
    // Somebody else has made the tier anew.
    if (!(error instanceof ConflictError)) throw error;
  }
}
