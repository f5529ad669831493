import { isJsonObject } from './json.ts';
import { type Kind, kindTable, type ResourceOfKind } from './kinds.ts';
import { levelFaults } from './levels.ts';
import { parseWith, withoutNulls } from './schema.ts';
import { hideSecrets } from './secrets.ts';
import { type Fault, ValidationError } from './validation.ts';

/**
 * Reads an object as it stands in the datastore: fills in defaults, reads scalars in any of their
 * spellings, treats null as absent, and lets fields it does not know stand. The rules between fields are
 * not checked: whoever wrote the object may have known other ones.
 *
 * @throws {ValidationError} If a field has a type or a value that this version does not know.
 */
export function readResource<K extends Kind>(kind: K, stored: unknown): ResourceOfKind<K> {
  const result = tryReadResource(kind, stored);
  if ('faults' in result) throw new ValidationError(subjectOf(stored, kind), result.faults);
  return result.resource;
}

/** As {@link readResource}, with the faults as a value. */
export function tryReadResource<K extends Kind>(
  kind: K,
  stored: unknown,
): { readonly resource: ResourceOfKind<K> } | { readonly faults: readonly Fault[] } {
  const deep = levelFaults(stored);
  if (deep.length > 0) return { faults: deep };
  const { schema } = kindTable(kind);
  const given = withoutNulls(schema, stored);
  const result = parseWith(schema, given, hideSecrets(kind, given));
  if ('faults' in result) return result;
  return { resource: overlay(given, result.parsed) as ResourceOfKind<K> };
}

/** `parsed`, and from `given` the fields that the schema has dropped because it does not know them. */
function overlay(given: unknown, parsed: unknown): unknown {
  if (Array.isArray(given) && Array.isArray(parsed)) {
    const items = parsed.map((item, i) => overlay(given[i], item));
    return items.every((item, i) => item === parsed[i]) ? parsed : items;
  }
  if (!isJsonObject(given) || !isJsonObject(parsed)) return parsed;
  // Almost always there is nothing to add: then nothing is copied.
  let added: Record<string, unknown> | undefined;
  for (const key of Object.keys(given)) {
    const isKnown = Object.hasOwn(parsed, key);
    const item = isKnown ? overlay(given[key], parsed[key]) : given[key];
    if (isKnown && item === parsed[key]) continue;
    added ??= {};
    Object.defineProperty(added, key, { value: item, enumerable: true });
  }
  return added ? Object.fromEntries([...Object.entries(parsed), ...Object.entries(added)]) : parsed;
}

/** `IPPool(rack1)`, for messages. */
export function subjectOf(value: unknown, fallback = 'document'): string {
  if (!isJsonObject(value)) return fallback;
  const kind = typeof value.kind === 'string' ? value.kind : fallback;
  const metadata = isJsonObject(value.metadata) ? value.metadata : {};
  const { name, namespace } = metadata;
  if (typeof name !== 'string') return kind;
  return `${kind}(${typeof namespace === 'string' ? `${namespace}/` : ''}${name})`;
}
