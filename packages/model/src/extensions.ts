import { isJsonObject } from './json.ts';
import { type Kind, kindTable } from './kinds.ts';
import { fieldsWithMeta } from './schema.ts';

/**
 * Takes Overland's own fields out of an object's spec. They are stored under a key of their own, because
 * Calico's tools drop fields they do not know (docs/architecture.md, section 5).
 *
 * @returns The object as Calico knows it, and the fields; `undefined` if there are none.
 */
export function splitExtensions<R extends { readonly kind: Kind; readonly spec?: unknown }>(
  resource: R,
): { readonly base: R; readonly extensions: Record<string, unknown> | undefined } {
  const { spec } = resource;
  if (!isJsonObject(spec)) return { base: resource, extensions: undefined };
  const ours = extensionFields(resource.kind);
  const extensions = Object.entries(spec).filter(
    ([key, value]) => ours.has(key) && value !== undefined,
  );
  if (extensions.length === 0) return { base: resource, extensions: undefined };
  const base = Object.entries(spec).filter(([key]) => !ours.has(key));
  return {
    base: { ...resource, spec: Object.fromEntries(base) },
    extensions: Object.fromEntries(extensions),
  };
}

/** The inverse of {@link splitExtensions}, on an object as stored. */
export function joinExtensions(stored: unknown, extensions: unknown): unknown {
  if (!isJsonObject(stored) || !isJsonObject(extensions)) return stored;
  const spec = isJsonObject(stored.spec) ? stored.spec : {};
  return { ...stored, spec: { ...spec, ...extensions } };
}

/** Names of the fields of a kind's spec that Calico does not have. */
export function extensionFields(kind: Kind): ReadonlySet<string> {
  return fieldsWithMeta(kindTable(kind).spec, 'extension');
}
