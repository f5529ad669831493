import { appliedPrefix, isJsonObject, type Kind, type ResourceOfKind } from '@overland/model';
import type { Datastore, Entry } from '../datastore.ts';
import { jsonOf } from './applied-record.ts';
import { resourcePages } from './resource-list.ts';

/**
 * The objects of a kind that were applied: those whose record (decision 0093) is of the very object that stands there.
 * What `create`, an agent or another tool has made is none of them.
 *
 * @throws {CompactedError} If reading takes longer than the datastore keeps old revisions.
 */
export async function* appliedResources<K extends Kind>(
  store: Datastore,
  kind: K,
): AsyncGenerator<ResourceOfKind<K>, void> {
  const uids = await recordedUids(store, kind);
  // Most kinds have none: their objects need not be read.
  if (uids.size === 0) return;
  for await (const { resources } of resourcePages(store, kind)) {
    for (const resource of resources) {
      const { name, namespace, uid } = resource.metadata;
      if (uid !== undefined && uids.get(namespace ? `${namespace}/${name}` : name) === uid) {
        yield resource;
      }
    }
  }
}

/** By what follows {@link appliedPrefix} in the key. */
async function recordedUids(store: Datastore, kind: Kind): Promise<ReadonlyMap<string, string>> {
  const prefix = appliedPrefix(kind);
  const uids = new Map<string, string>();
  let after: string | undefined;
  do {
    const page = await store.list(prefix, after === undefined ? {} : { after });
    for (const entry of page.entries) {
      const uid = uidOf(entry);
      if (uid !== undefined) uids.set(entry.key.slice(prefix.length), uid);
    }
    after = page.next;
  } while (after !== undefined);
  return uids;
}

function uidOf(entry: Entry): string | undefined {
  const record = jsonOf(entry);
  return isJsonObject(record) && typeof record.uid === 'string' ? record.uid : undefined;
}
