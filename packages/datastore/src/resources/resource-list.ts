import {
  extensionPrefix,
  ipamView,
  type Kind,
  kindTable,
  parseResourceKey,
  type ResourceName,
  type ResourceOfKind,
  resourcePrefix,
  ValidationError,
} from '@overland/model';
import type { Datastore, Entry, Revision } from '../datastore.ts';
import { CompactedError } from '../errors.ts';
import { decodeStored, extensionKeyOf, hasExtensions, viewOf } from './stored-resource.ts';

/** An object that exists, but that this version cannot read. */
export interface InvalidResource {
  readonly name: ResourceName;
  readonly error: ValidationError;
}

export interface ResourceList<K extends Kind> {
  /** In order of their keys. */
  readonly resources: readonly ResourceOfKind<K>[];
  readonly invalid: readonly InvalidResource[];
  readonly revision: Revision;
}

/** Reads all objects of a kind, as of one revision. */
export async function listResources<K extends Kind>(
  store: Datastore,
  kind: K,
  namespace?: string,
): Promise<ResourceList<K>> {
  for (;;) {
    try {
      return await listOnce(store, kind, namespace);
    } catch (error) {
      // The pages took longer than the datastore keeps old revisions.
      if (!(error instanceof CompactedError)) throw error;
    }
  }
}

async function listOnce<K extends Kind>(
  store: Datastore,
  kind: K,
  namespace: string | undefined,
): Promise<ResourceList<K>> {
  const isIpam = kindTable(kind).storage === 'ipam';
  const prefixes = isIpam ? ipamView(kind).prefixes : [resourcePrefix(kind, namespace)];
  const { entries, revision } = await readAll(store, prefixes);
  const extensions = hasExtensions(kind)
    ? (await readAll(store, [extensionPrefix(kind)], revision)).entries
    : [];
  const byKey = new Map(extensions.map((entry) => [entry.key, entry]));
  const resources: ResourceOfKind<K>[] = [];
  const invalid: InvalidResource[] = [];
  for (const entry of entries) {
    const name = nameOfEntry(kind, entry);
    if (!name) continue;
    try {
      const extension = byKey.get(extensionKeyOf(kind, name) ?? '');
      resources.push(viewOf(kind, decodeStored(kind, entry, extension)));
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      invalid.push({ name, error });
    }
  }
  return { resources, invalid, revision };
}

function nameOfEntry(kind: Kind, { key }: Entry): ResourceName | undefined {
  if (kindTable(kind).storage !== 'ipam') return parseResourceKey(key)?.name;
  const name = ipamView(kind).nameOf(key);
  return name === undefined ? undefined : { name };
}

/** All pages of several ranges, as of one revision. */
async function readAll(
  store: Datastore,
  prefixes: readonly string[],
  at?: Revision,
): Promise<{ readonly entries: Entry[]; readonly revision: Revision }> {
  const entries: Entry[] = [];
  let revision = at;
  for (const prefix of prefixes) {
    let after: string | undefined;
    do {
      const page = await store.list(prefix, {
        ...(after !== undefined && { after }),
        ...(revision !== undefined && { revision }),
      });
      for (const entry of page.entries) entries.push(entry);
      revision = page.revision;
      after = page.next;
    } while (after !== undefined);
  }
  if (revision === undefined) throw new RangeError('no range to read');
  return { entries, revision };
}
