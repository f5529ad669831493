import {
  extensionKey,
  formerKeyName,
  fromStoredForm,
  hasExtensions,
  hideSecrets,
  IPAM_CONFIG_KEY,
  IpamValueError,
  ipamConfigValue,
  ipamResource,
  isJsonObject,
  joinExtensions,
  type Kind,
  kindTable,
  parseJson,
  type ResourceName,
  type ResourceOfKind,
  readResource,
  resourceKey,
  splitExtensions,
  stringifyJson,
  toStoredForm,
  ValidationError,
} from '@overland/model';
import { ParseError } from '@overland/net';
import type { Entry, Operation } from '../datastore.ts';
import { describeName, ReadOnlyKindError } from './resource-errors.ts';

/** An object as the datastore has it: under Calico's key, and our fields under one of our own. */
export interface StoredResource {
  readonly entry: Entry;
  /** The object with our fields joined in: what `readResource` reads and `carryOver` changes. */
  readonly joined: unknown;
  /** The entry of our fields, if there is one, even if it is of a former object of the same name. */
  readonly extensionEntry: Entry | undefined;
}

/**
 * The key of an object that can be written.
 *
 * @throws {ReadOnlyKindError} If only IPAM writes objects of the kind.
 */
export function keyOf(kind: Kind, name: ResourceName): string {
  if (kind === 'IPAMConfiguration') return IPAM_CONFIG_KEY;
  if (kindTable(kind).storage === 'ipam') throw new ReadOnlyKindError(kind);
  return resourceKey(kind, name);
}

/** The key of an object's fields of ours; `undefined` if its kind has none. */
export function extensionKeyOf(kind: Kind, name: ResourceName): string | undefined {
  return hasExtensions(kind) ? extensionKey(kind, name) : undefined;
}

/** The key under which an older version may have stored the object; `undefined` if there is none such. */
export function formerKeyOf(kind: Kind, { name, namespace }: ResourceName): string | undefined {
  const former = formerKeyName(kind, name);
  return former === undefined ? undefined : resourceKey(kind, { name: former, namespace });
}

/** Whether what is stored at a former key is the object of this name, and not one that is really called so. */
export function isStoredAs(kind: Kind, entry: Entry, { name }: ResourceName): boolean {
  const document = fromStoredForm(kind, parseValue(kind, entry));
  const metadata = isJsonObject(document) ? document.metadata : undefined;
  return isJsonObject(metadata) && metadata.name === name;
}

/** Reads the entries of an object. @throws {ValidationError} If one of them is not what it should be. */
export function decodeStored(kind: Kind, entry: Entry, extensionEntry?: Entry): StoredResource {
  if (kindTable(kind).storage === 'ipam') {
    return { entry, joined: decodeIpam(kind, entry), extensionEntry };
  }
  const base = parseValue(kind, entry);
  const extension = extensionEntry && parseValue(kind, extensionEntry);
  const joined = fromStoredForm(kind, joinExtensions(base, extension));
  return { entry, joined, extensionEntry };
}

/** What to write so that the object is `document`. The inverse of {@link decodeStored}. */
export function encodeStored(
  kind: Kind,
  name: ResourceName,
  document: unknown,
  stored?: StoredResource,
): Operation[] {
  const key = stored?.entry.key ?? keyOf(kind, name);
  if (kind === 'IPAMConfiguration') return [{ type: 'put', key, value: ipamConfigValue(document) }];
  const { base, extension } = splitExtensions(kind, document, specOf(stored?.extensionEntry));
  const form = toStoredForm(kind, withoutVersion(base), key.slice(key.lastIndexOf('/') + 1));
  const put = { type: 'put', key, value: stringifyJson(form) } as const;
  const extensionKey = extensionKeyOf(kind, name);
  if (extensionKey && extension) {
    return [put, { type: 'put', key: extensionKey, value: stringifyJson(extension) }];
  }
  const old = stored?.extensionEntry;
  return old ? [put, { type: 'delete', key: old.key }] : [put];
}

/** The object, secrets included: not to be handed out. @throws {ValidationError} If this version cannot read it. */
export function viewOf<K extends Kind>(
  kind: K,
  { entry, joined }: Pick<StoredResource, 'entry' | 'joined'>,
): ResourceOfKind<K> {
  const resource = readResource(kind, joined);
  const metadata = { ...resource.metadata, resourceVersion: entry.revision };
  return { ...resource, metadata };
}

/** As {@link viewOf}, for whoever asks: without secrets (decision 0037). */
export function shownView<K extends Kind>(
  kind: K,
  stored: Pick<StoredResource, 'entry' | 'joined'>,
): ResourceOfKind<K> {
  return hideSecrets(kind, viewOf(kind, stored));
}

function decodeIpam(kind: Kind, { key, value }: Entry): unknown {
  try {
    return ipamResource(kind, key, value);
  } catch (error) {
    if (!(error instanceof IpamValueError) && !(error instanceof ParseError)) throw error;
    throw new ValidationError(key, [{ path: '', value: undefined, rule: error.message }]);
  }
}

/** Our fields in an extension entry, known to this version or not. */
function specOf(extensionEntry: Entry | undefined): unknown {
  const extension = extensionEntry && parseJson(extensionEntry.value);
  return isJsonObject(extension) ? extension.spec : undefined;
}

/** The version is the datastore's to say; Calico never stores it. */
function withoutVersion(document: unknown): unknown {
  if (!isJsonObject(document) || !isJsonObject(document.metadata)) return document;
  const { resourceVersion: _, ...metadata } = document.metadata;
  return { ...document, metadata };
}

function parseValue(kind: Kind, { key, value }: Entry): Record<string, unknown> {
  try {
    const object = parseJson(value);
    if (isJsonObject(object)) return { ...object };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const subject = describeName(kind, { name: key.slice(key.lastIndexOf('/') + 1) });
  throw new ValidationError(subject, [{ path: '', value, rule: 'must be a JSON object' }]);
}
