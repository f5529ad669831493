import {
  type Datastore,
  ResourceClient,
  ResourceConflictError,
  ResourceExistsError,
} from '@overland/datastore';
import {
  type AnyResource,
  type Kind,
  type ResourceName,
  type ResourceOfKind,
  ValidationError,
} from '@overland/model';

const MAX_ATTEMPTS = 10;

/**
 * Stores a resource unless one of its name exists.
 *
 * @returns Whether it was created.
 */
export async function createIfAbsent(
  datastore: Datastore,
  resource: AnyResource,
): Promise<boolean> {
  const resources = new ResourceClient(datastore);
  // Asked first: a host that may not write it can still be content with it.
  if (await exists(resources, resource)) return false;
  try {
    await resources.create(resource);
    return true;
  } catch (error) {
    if (error instanceof ResourceExistsError) return false;
    throw error;
  }
}

async function exists(
  resources: ResourceClient,
  { kind, metadata }: AnyResource,
): Promise<boolean> {
  try {
    return (await resources.get(kind, metadata)) !== undefined;
  } catch (error) {
    // One that this version cannot read is there all the same.
    if (error instanceof ValidationError) return true;
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
  const resources = new ResourceClient(datastore);
  for (let attempt = 1; ; attempt++) {
    const before = await resources.get(kind, name);
    if (!before) return false;
    try {
      await resources.update(change(before) as AnyResource);
      return true;
    } catch (error) {
      if (!(error instanceof ResourceConflictError) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
