import { type AnyResource, BUILT_IN_TIERS, isBuiltInTier, parseManifest } from '@overland/model';
import type { Condition, Datastore, Entry, Operation, Revision } from '../datastore.ts';
import { ConflictError } from '../errors.ts';
import { guardCreation } from './guard-creation.ts';
import { MissingTierError } from './resource-errors.ts';
import { encodeStored, formerKeyOf, isStoredAs, keyOf } from './stored-resource.ts';
import { tierEntry, tierOf } from './tier-rules.ts';

/** A new object, and what to write for it. */
export interface Insertion {
  readonly resource: AnyResource;
  readonly operations: readonly Operation[];
  /** Gives a further object what new ones are given. */
  readonly stamp: (resource: AnyResource) => AnyResource;
}

/** How often others may get in between. */
const ATTEMPTS = 10;

/**
 * Writes a new object in one transaction, with all that must hold about others: a policy's tier exists, a pool does not
 * overlap another. A tier that every cluster has is made if it is missing.
 *
 * @returns The revision; or what stands in the object's place.
 * @throws {ValidationError} If it must not be beside those that exist.
 * @throws {MissingTierError} If a policy is to be in a tier that there is not.
 */
export async function insertResource(
  store: Datastore,
  { resource, operations, stamp }: Insertion,
): Promise<{ readonly revision: Revision } | { readonly taken: Entry | undefined }> {
  const { kind, metadata } = resource;
  const key = keyOf(kind, metadata);
  let formerKey = formerKeyOf(kind, metadata);
  const tier = tierOf(resource);
  const entry = tier === undefined ? undefined : tierEntry(tier);
  const tierKey = entry?.conditions[0]?.key;
  let isTierMissing = false;
  for (let attempt = 1; ; attempt++) {
    const conditions: Condition[] = [{ type: 'absent', key }];
    if (formerKey) conditions.push({ type: 'absent', key: formerKey });
    if (tierKey && isTierMissing) conditions.push({ type: 'absent', key: tierKey });
    else conditions.push(...(entry?.conditions ?? []));
    const guard = await guardCreation(store, resource);
    conditions.push(...guard.conditions);
    const tierItself = tier && isTierMissing ? tierOperations(tier, stamp) : [];
    const beside = [...tierItself, ...(entry?.operations ?? []), ...guard.operations];
    try {
      return {
        revision: await store.transact({ conditions, operations: [...beside, ...operations] }),
      };
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === ATTEMPTS) throw error;
      if (error.key === key) return { taken: error.actual };
      if (error.key === formerKey) {
        // Another policy may be called so: `default.web` beside `web`.
        if (error.actual && isStoredAs(kind, error.actual, metadata))
          return { taken: error.actual };
        formerKey = undefined;
      } else if (tier !== undefined && error.key === tierKey) {
        isTierMissing = error.actual === undefined;
        if (isTierMissing && !isBuiltInTier(tier)) throw new MissingTierError(kind, metadata, tier);
      } else if (!guard.conditions.some((condition) => condition.key === error.key)) {
        throw error;
      }
    }
  }
}

function tierOperations(name: string, stamp: Insertion['stamp']): Operation[] {
  if (!isBuiltInTier(name)) return [];
  const tier = parseManifest({
    apiVersion: 'projectcalico.org/v3',
    kind: 'Tier',
    metadata: { name },
    spec: BUILT_IN_TIERS[name],
  });
  return encodeStored('Tier', { name }, stamp(tier));
}
