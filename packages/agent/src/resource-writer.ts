import { randomUUID } from 'node:crypto';
import { ConflictError, type Datastore, type Operation } from '@overland/datastore';
import {
  type AnyResource,
  carryOver,
  extensionKey,
  type Kind,
  parseJson,
  type ResourceName,
  type ResourceOfKind,
  readResource,
  resourceKey,
  splitExtensions,
  stringifyJson,
} from '@overland/model';

const MAX_ATTEMPTS = 10;

/**
 * Stores a resource unless one of its name exists, our own fields under their own key.
 *
 * @returns Whether it was created.
 */
export async function createIfAbsent(
  datastore: Datastore,
  resource: AnyResource,
): Promise<boolean> {
  const { kind, metadata } = resource;
  const { base, extensions } = splitExtensions(resource);
  const key = resourceKey(kind, metadata);
  const created = {
    ...base,
    metadata: {
      ...metadata,
      uid: metadata.uid ?? randomUUID(),
      creationTimestamp: metadata.creationTimestamp ?? new Date().toISOString(),
    },
  };
  const operations: Operation[] = [{ type: 'put', key, value: stringifyJson(created) }];
  if (extensions) {
    const value = stringifyJson(extensions);
    operations.push({ type: 'put', key: extensionKey(kind, metadata), value });
  }
  try {
    await datastore.transact({ conditions: [{ type: 'absent', key }], operations });
    return true;
  } catch (error) {
    if (error instanceof ConflictError) return false;
    throw error;
  }
}

/**
 * Changes a stored resource; what `change` leaves alone stays to the letter, unknown fields included. Nothing
 * is written if nothing changes.
 *
 * @returns Whether there is such a resource.
 */
export async function updateResource<K extends Kind>(
  datastore: Datastore,
  kind: K,
  name: ResourceName,
  change: (before: ResourceOfKind<K>) => ResourceOfKind<K>,
): Promise<boolean> {
  const key = resourceKey(kind, name);
  for (let attempt = 1; ; attempt++) {
    const entry = await datastore.get(key);
    if (!entry) return false;
    const stored = parseJson(entry.value);
    const before = readResource(kind, stored);
    const value = stringifyJson(carryOver(kind, stored, before, change(before)));
    if (value === stringifyJson(stored)) return true;
    try {
      await datastore.transact({
        conditions: [{ type: 'revision', key, revision: entry.revision }],
        operations: [{ type: 'put', key, value }],
      });
      return true;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
