import { isJsonObject } from './json.ts';
import { type Kind, kindTable } from './kinds.ts';
import { fieldsWithMeta } from './schema.ts';

/**
 * What stands at `extensionKey` of an object: its fields that Calico lacks. Calico's tools drop fields they do
 * not know when they rewrite an object, so these are kept apart (docs/architecture.md, section 5).
 */
export interface Extension {
  /** Of the object they belong to; empty if it has none. Those of a deleted one must not join the next. */
  readonly uid: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/**
 * Takes the fields that Calico lacks out of an object.
 *
 * @param further Names of fields that are stored apart although this version does not know them.
 * @returns The object as Calico knows it, and the fields; `undefined` if there are none.
 */
export function splitExtensions(
  kind: Kind,
  document: unknown,
  further: readonly string[] = [],
): { readonly base: unknown; readonly extension: Extension | undefined } {
  const spec = isJsonObject(document) ? document.spec : undefined;
  if (!isJsonObject(document) || !isJsonObject(spec))
    return { base: document, extension: undefined };
  const ours = new Set([...extensionFields(kind), ...further]);
  const entries = Object.entries(spec).filter(([, value]) => value !== undefined);
  const apart = entries.filter(([key]) => ours.has(key));
  const base = { ...document, spec: Object.fromEntries(entries.filter(([key]) => !ours.has(key))) };
  const extension = { uid: uidOf(document), spec: Object.fromEntries(apart) };
  return { base, extension: apart.length > 0 ? extension : undefined };
}

/**
 * The inverse of {@link splitExtensions}, on values as stored. An extension of another object of the same name
 * is left out.
 */
export function joinExtensions(document: unknown, extension: unknown): unknown {
  if (!isJsonObject(document) || !isJsonObject(extension)) return document;
  if (extension.uid !== uidOf(document) || !isJsonObject(extension.spec)) return document;
  const spec = isJsonObject(document.spec) ? document.spec : {};
  return { ...document, spec: { ...spec, ...extension.spec } };
}

/** Names of the fields of a kind's spec that Calico does not have. */
export function extensionFields(kind: Kind): ReadonlySet<string> {
  return fieldsWithMeta(kindTable(kind).spec, 'extension');
}

function uidOf(document: { readonly [key: string]: unknown }): string {
  const { metadata } = document;
  const uid = isJsonObject(metadata) ? metadata.uid : undefined;
  return typeof uid === 'string' ? uid : '';
}
