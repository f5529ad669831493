import { appliedKey, type Kind, type ResourceName } from '@overland/model';
import type { Datastore, Entry } from '../datastore.ts';
import {
  decodeStored,
  extensionKeyOf,
  formerKeyOf,
  isStoredAs,
  keyOf,
  type StoredResource,
} from './stored-resource.ts';

/** An object as it is stored. @param known The entry of Calico's half, if it was read just now. */
export async function readStored(
  store: Datastore,
  kind: Kind,
  name: ResourceName,
  known?: Entry,
): Promise<StoredResource | undefined> {
  const [entry, extensionEntry] = await readEntries(store, kind, name, known);
  return entry && decodeStored(kind, entry, extensionEntry);
}

/** As {@link readStored}, with the record of what was applied to it. */
export async function readApplied(
  store: Datastore,
  kind: Kind,
  name: ResourceName,
  known?: Entry,
): Promise<[StoredResource | undefined, Entry | undefined]> {
  return await Promise.all([
    readStored(store, kind, name, known),
    store.get(appliedKey(kind, name)),
  ]);
}

/** The entries of Calico's half and of ours. @param known The former, if it was read just now. */
export function readEntries(
  store: Datastore,
  kind: Kind,
  name: ResourceName,
  known?: Entry,
): Promise<[Entry | undefined, Entry | undefined]> {
  const extensionKey = extensionKeyOf(kind, name);
  return Promise.all([
    known ?? readEntry(store, kind, name),
    extensionKey === undefined ? undefined : store.get(extensionKey),
  ]);
}

/** The entry of an object, be it under a key of an older version. */
export async function readEntry(
  store: Datastore,
  kind: Kind,
  name: ResourceName,
): Promise<Entry | undefined> {
  const entry = await store.get(keyOf(kind, name));
  const formerKey = entry ? undefined : formerKeyOf(kind, name);
  const former = formerKey === undefined ? undefined : await store.get(formerKey);
  return former && isStoredAs(kind, former, name) ? former : entry;
}
