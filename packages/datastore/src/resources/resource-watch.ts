import {
  DEFAULT_ALLOW_PROFILE,
  extensionPrefix,
  hasExtensions,
  ipamView,
  type Kind,
  kindTable,
  parseResourceKey,
  type ResourceName,
  type ResourceOfKind,
  resourceKey,
  resourcePrefix,
  ValidationError,
} from '@overland/model';
import type { Change, Datastore, Entry } from '../datastore.ts';
import { isDefaultProfile } from './default-profile.ts';
import { mergeChanges } from './merge-changes.ts';
import { decodeStored, extensionKeyOf, shownView } from './stored-resource.ts';

/** What happened to the objects of a kind. */
export type ResourceChange<K extends Kind> =
  | { readonly type: 'put'; readonly name: ResourceName; readonly resource: ResourceOfKind<K> }
  /** It exists, but this version cannot read it: treat what it says as unknown, not as absent. */
  | { readonly type: 'invalid'; readonly name: ResourceName; readonly error: ValidationError }
  | { readonly type: 'delete'; readonly name: ResourceName }
  /** Once, when everything that exists was reported. */
  | { readonly type: 'synced' };

/** Watches the objects of a kind; see {@link Datastore.watch}. */
export function watchResources<K extends Kind>(
  store: Datastore,
  kind: K,
  signal: AbortSignal,
): AsyncGenerator<ResourceChange<K>, void> {
  return kindTable(kind).storage === 'ipam'
    ? watchIpam(store, kind, signal)
    : watchPlain(store, kind, signal);
}

async function* watchIpam<K extends Kind>(
  store: Datastore,
  kind: K,
  signal: AbortSignal,
): AsyncGenerator<ResourceChange<K>, void> {
  const { prefixes, nameOf } = ipamView(kind);
  for await (const change of mergeChanges(store, prefixes, signal)) {
    if (change.type === 'synced') {
      yield { type: 'synced' };
      continue;
    }
    const name = nameOf(keyOf(change));
    if (name === undefined) continue;
    if (change.type === 'delete') yield { type: 'delete', name: { name } };
    else yield tryView(kind, { name }, () => shownView(kind, decodeStored(kind, change.entry)));
  }
}

async function* watchPlain<K extends Kind>(
  store: Datastore,
  kind: K,
  signal: AbortSignal,
): AsyncGenerator<ResourceChange<K>, void> {
  const prefix = resourcePrefix(kind);
  const prefixes = hasExtensions(kind) ? [prefix, extensionPrefix(kind)] : [prefix];
  // Only kinds with fields of ours need both halves of an object at hand.
  const halves = hasExtensions(kind) ? new Map<string, Entry>() : undefined;
  // Names of policies that are not those of their keys: a removal says the key alone.
  const names = new Map<string, ResourceName>();
  let isSynced = false;
  if (kind === 'Profile') yield defaultProfile(kind);
  for await (const change of mergeChanges(store, prefixes, signal)) {
    if (change.type === 'synced') {
      // What was held back while its other half might still come.
      for (const [key, entry] of halves ?? []) {
        if (key.startsWith(prefix)) yield* report(kind, key, entry, halves);
      }
      isSynced = true;
      yield { type: 'synced' };
      continue;
    }
    const key = keyOf(change);
    const entry = change.type === 'put' ? change.entry : undefined;
    if (entry) halves?.set(key, entry);
    else halves?.delete(key);
    if (!isSynced && halves) continue;
    for (const reported of report(kind, key, entry, halves)) yield renamed(reported, key, names);
  }
}

/** The change with the name that the object is called by. */
function renamed<K extends Kind>(
  change: ResourceChange<K>,
  key: string,
  names: Map<string, ResourceName>,
): ResourceChange<K> {
  if (change.type === 'put' && change.resource.metadata.name !== change.name.name) {
    const { name, namespace } = change.resource.metadata;
    names.set(key, { ...change.name, name, ...(namespace && { namespace }) });
  }
  const name = names.get(key);
  if (!name || change.type === 'synced') return change;
  if (change.type === 'delete') names.delete(key);
  return { ...change, name };
}

function defaultProfile<K extends Kind>(kind: K): ResourceChange<K> {
  const { name } = DEFAULT_ALLOW_PROFILE.metadata;
  return tryView(kind, { name }, () => DEFAULT_ALLOW_PROFILE as ResourceOfKind<K>);
}

/** What a change at `key`, of either half of an object, means for the object. */
function* report<K extends Kind>(
  kind: K,
  key: string,
  entry: Entry | undefined,
  halves: ReadonlyMap<string, Entry> | undefined,
): Generator<ResourceChange<K>> {
  const isExtension = key.startsWith(extensionPrefix(kind));
  const baseKey = isExtension
    ? resourcePrefix(kind) + key.slice(extensionPrefix(kind).length)
    : key;
  const name = parseResourceKey(baseKey)?.name;
  if (!name || isDefaultProfile(kind, name)) return;
  const base = isExtension ? halves?.get(resourceKey(kind, name)) : entry;
  if (!base) {
    if (!isExtension) yield { type: 'delete', name };
    return;
  }
  const extension = halves?.get(extensionKeyOf(kind, name) ?? '');
  yield tryView(kind, name, () => shownView(kind, decodeStored(kind, base, extension)));
}

function tryView<K extends Kind>(
  kind: K,
  name: ResourceName,
  view: () => ResourceOfKind<K>,
): ResourceChange<K> {
  try {
    return { type: 'put', name, resource: view() };
  } catch (error) {
    if (error instanceof ValidationError) return { type: 'invalid', name, error };
    throw new Error(`${kind} cannot be read`, { cause: error });
  }
}

function keyOf(change: Exclude<Change, { type: 'synced' }>): string {
  return change.type === 'put' ? change.entry.key : change.key;
}
