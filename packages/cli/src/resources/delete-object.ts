import type { Kind, ResourceName } from '@overland/model';
import type { OpenClient } from '../datastore/open-client.ts';
import type { Done } from './run-items.ts';

/** Removes an object, and what must go with it. @param version Only in this state, if given. */
export async function deleteObject(
  { client }: OpenClient,
  kind: Kind,
  name: ResourceName,
  version: string | undefined,
): Promise<Done> {
  await client.delete(kind, name, version);
  return { outcome: 'deleted' };
}
