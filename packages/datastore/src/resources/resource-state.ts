import {
  type AnyResource,
  hasExtensions,
  type Kind,
  parseResourceKey,
  type ResourceName,
} from '@overland/model';
import type { Condition, Transaction } from '../datastore.ts';
import type { ConflictError } from '../errors.ts';
import {
  MissingTierError,
  ResourceConflictError,
  ResourceNotFoundError,
} from './resource-errors.ts';
import { extensionKeyOf, type StoredResource } from './stored-resource.ts';

/** What a transaction that changes an object has met instead of the object as it was read. */
export function conflictOf(
  { key, actual }: ConflictError,
  kind: Kind,
  name: ResourceName,
  { conditions: [first] }: Transaction,
): Error {
  if (!actual && key === first?.key) return new ResourceNotFoundError(kind, name);
  const tier = parseResourceKey(key);
  if (!actual && kind !== 'Tier' && tier?.kind === 'Tier') {
    return new MissingTierError(kind, name, tier.name.name);
  }
  const expected = first?.type === 'revision' ? first.revision : 'none';
  return new ResourceConflictError(kind, name, { expected, actual: actual?.revision ?? 'none' });
}

/** The object, if it is there and in the state that is expected, if any is. */
export function inState(
  { kind, metadata }: AnyResource,
  stored: StoredResource | undefined,
  expected: string | undefined,
): StoredResource {
  if (!stored) throw new ResourceNotFoundError(kind, metadata);
  const actual = stored.entry.revision;
  if (expected !== undefined && actual !== expected)
    throw new ResourceConflictError(kind, metadata, { expected, actual });
  return stored;
}

/** That neither half of an object has changed. Whoever writes our half writes Calico's as well. */
export function stateOf(kind: Kind, { entry, extensionEntry }: StoredResource): Condition[] {
  const conditions: Condition[] = [{ type: 'revision', key: entry.key, revision: entry.revision }];
  if (extensionEntry) {
    const { key, revision } = extensionEntry;
    conditions.push({ type: 'revision', key, revision });
  } else if (hasExtensions(kind)) {
    const name = parseResourceKey(entry.key)?.name;
    const key = name && extensionKeyOf(kind, name);
    if (key) conditions.push({ type: 'absent', key });
  }
  return conditions;
}
