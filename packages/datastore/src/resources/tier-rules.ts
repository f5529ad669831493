import { type AnyResource, isBuiltInTier, isTieredPolicy, tierGuardKey } from '@overland/model';
import type { Condition, Datastore, Revision, Transaction } from '../datastore.ts';
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

/** How often others may get in between. */
const ATTEMPTS = 10;

/** The tier that an object is in; `undefined` if it is of a kind without tiers. */
export function tierOf({ kind, spec }: AnyResource): string | undefined {
  const tier = isTieredPolicy(kind) && 'tier' in spec ? spec.tier : undefined;
  return typeof tier === 'string' ? tier : undefined;
}

/**
 * What must hold, and what is written beside, for a policy to be put into a tier. A tier that cannot be deleted needs no
 * guard against it: transactions that write the same key cannot share a request to etcd, and most policies are in one.
 */
export function tierEntry(tier: string): Transaction {
  return {
    conditions: [{ type: 'present', key: keyOf('Tier', { name: tier }) }],
    operations: isBuiltInTier(tier) ? [] : [{ type: 'put', key: tierGuardKey(tier), value: '' }],
  };
}

/** As {@link tierEntry}, for an update that moves a policy to another tier; nothing for others. */
export function tierChange(before: AnyResource, after: AnyResource): Transaction {
  const tier = tierOf(after);
  const isMoved = tier !== undefined && tier !== tierOf(before);
  return isMoved ? tierEntry(tier) : { conditions: [], operations: [] };
}

/**
 * Removes a tier, which must be empty and not one that every cluster has. Policies that enter it write a key of ours, so
 * none does between the look and the removal; those that Calico's tools make at that moment are not seen.
 *
 * @param removal Of the tier itself.
 * @throws {RefusedError} If the tier must stay.
 */
export async function removeTier(
  store: Datastore,
  name: string,
  removal: Transaction,
): Promise<Revision> {
  if (isBuiltInTier(name)) {
    const tier = describeName('Tier', { name });
    throw new RefusedError(`${tier} cannot be deleted: every cluster has it`);
  }
  const key = tierGuardKey(name);
  for (let attempt = 1; ; attempt++) {
    const guard = await store.get(key);
    await refuseIfUsed(store, name);
    const condition: Condition = guard
      ? { type: 'revision', key, revision: guard.revision }
      : { type: 'absent', key };
    try {
      return await store.transact({
        conditions: [...removal.conditions, condition],
        operations: [...removal.operations, { type: 'delete', key }],
      });
    } catch (error) {
      const hasEntered = error instanceof ConflictError && error.key === key;
      if (!hasEntered || attempt === ATTEMPTS) throw error;
    }
  }
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
