import type { z } from 'zod';
import { isListParts, joinList, splitList } from './extension-lists.ts';
import { isJsonObject } from './json.ts';
import { type Kind, kindTable } from './kinds.ts';
import { fieldOf, hasMeta, pathsWithMeta } from './schema.ts';

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
 * @param stored The spec of the stored extension: what it has and this version does not know stays apart.
 * @returns The object as Calico knows it, and the fields; `undefined` if there are none.
 */
export function splitExtensions(
  kind: Kind,
  document: unknown,
  stored?: unknown,
): { readonly base: unknown; readonly extension: Extension | undefined } {
  const spec = isJsonObject(document) ? document.spec : undefined;
  const hasNone = !hasExtensions(kind) && stored === undefined;
  if (hasNone || !isJsonObject(document) || !isJsonObject(spec))
    return { base: document, extension: undefined };
  const { base, apart } = split(kindTable(kind).spec, spec, stored);
  const extension = { uid: uidOf(document), spec: apart };
  return {
    base: { ...document, spec: base },
    extension: Object.keys(apart).length > 0 ? extension : undefined,
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

function split(
  schema: z.ZodType,
  value: JsonObject,
  stored: unknown,
): { readonly base: JsonObject; readonly apart: JsonObject } {
  const base: Record<string, unknown> = {};
  const apart: Record<string, unknown> = {};
  const before = isJsonObject(stored) ? stored : {};
  for (const [key, item] of Object.entries(value)) {
    const field = fieldOf(schema, key);
    if (item === undefined) continue;
    if (field.type === 'unknown' && Object.hasOwn(before, key)) apart[key] = item;
    else if (field.type !== 'known') base[key] = item;
    else if (hasMeta(field.schema, 'extension')) apart[key] = item;
    else if (Array.isArray(item)) {
      const { base: rest, parts } = splitList(field.schema, item, before[key]);
      if (parts) apart[key] = parts;
      // As below.
      if (!parts || rest.length > 0) base[key] = rest;
    } else if (isJsonObject(item) && pathsWithMeta(field.schema, 'extension').length > 0) {
      const inner = split(field.schema, item, before[key]);
      const isOurs = Object.keys(inner.apart).length > 0;
      if (isOurs) apart[key] = inner.apart;
      // What holds only fields of ours does not exist for Calico.
      if (!isOurs || Object.keys(inner.base).length > 0) base[key] = inner.base;
    } else base[key] = item;
  }
  return { base, apart };
}

/**
 * The inverse of {@link splitExtensions}, on values as stored. An extension of another object of the same name
 * is left out.
 */
export function joinExtensions(document: unknown, extension: unknown): unknown {
  if (!isJsonObject(document) || !isJsonObject(extension)) return document;
  if (extension.uid !== uidOf(document) || !isJsonObject(extension.spec)) return document;
  return { ...document, spec: join(document.spec, extension.spec) };
}

function join(base: unknown, apart: JsonObject): JsonObject {
  const joined: Record<string, unknown> = isJsonObject(base) ? { ...base } : {};
  for (const [key, item] of Object.entries(apart)) {
    const list = joined[key] ?? [];
    if (isListParts(item) && Array.isArray(list)) joined[key] = joinList(list, item);
    else
      joined[key] =
        isJsonObject(item) && isJsonObject(joined[key]) ? join(joined[key], item) : item;
  }
  return joined;
}

/** Whether objects of the kind have fields that Calico does not know. */
export function hasExtensions(kind: Kind): boolean {
  return kindTable(kind).extensions.length > 0;
}

function uidOf(document: { readonly [key: string]: unknown }): string {
  const { metadata } = document;
  const uid = isJsonObject(metadata) ? metadata.uid : undefined;
  return typeof uid === 'string' ? uid : '';
}
