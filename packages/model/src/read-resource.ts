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
    return parsed.map((item, i) => overlay(given[i], item));
  }
  if (!isJsonObject(given) || !isJsonObject(parsed)) return parsed;
  const entries = Object.entries(parsed).map(([key, item]) => [key, overlay(given[key], item)]);
  const unknown = Object.entries(given).filter(([key]) => !Object.hasOwn(parsed, key));
  return Object.fromEntries([...entries, ...unknown]);
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
