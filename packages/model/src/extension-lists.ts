import type { z } from 'zod';
import { isJsonObject, sameJson } from './json.ts';
import { elementOf, fieldOf, hasMeta, unknownFields } from './schema.ts';

/**
 * A list of which some items have fields that Calico lacks, as it is stored apart. Such an item is not in Calico's
 * object at all: without one of its conditions, a rule would hold for what it is not about.
 */
export interface ListParts {
  /** All items, Calico's among them: they say where ours belong. */
  readonly list: readonly unknown[];
  /** Indexes of ours. */
  readonly ours: readonly number[];
}

export function isListParts(value: unknown): value is ListParts {
  return isJsonObject(value) && Array.isArray(value.list) && Array.isArray(value.ours);
}

/**
 * Takes the items with fields of ours out of a list.
 *
 * @param stored What was stored apart before: items of it that have fields of a later version stay apart.
 * @returns What is left for Calico, and the parts to store; `undefined` if none of the items is ours.
 */
export function splitList(
  schema: z.ZodType,
  items: readonly unknown[],
  stored: unknown,
): { readonly base: readonly unknown[]; readonly parts: ListParts | undefined } {
  const element = elementOf(schema);
  const before = isListParts(stored) ? stored.ours.map((i) => stored.list[i]) : [];
  const later = new Set(before.flatMap((item) => unknownPaths(element, item)));
  const isOurs = (item: unknown): boolean =>
    (element !== undefined && holdsExtension(element, item)) ||
    unknownPaths(element, item).some((path) => later.has(path));
  const ours = items.flatMap((item, i) => (isOurs(item) ? [i] : []));
  if (ours.length === 0) return { base: items, parts: undefined };
  return { base: items.filter((_, i) => !ours.includes(i)), parts: { list: items, ours } };
}

/**
 * The inverse of {@link splitList}. If Calico's tools have changed the list meanwhile, what they say of their items
 * holds, and each of ours follows the item that it followed, or the nearest one before that is still there.
 */
export function joinList(base: readonly unknown[], { list, ours }: ListParts): readonly unknown[] {
  const joined: unknown[] = [];
  let next = 0;
  for (const [i, item] of list.entries()) {
    if (ours.includes(i)) {
      joined.push(item);
      continue;
    }
    const at = base.findIndex((other, j) => j >= next && sameJson(other, item));
    if (at < 0) continue;
    joined.push(...base.slice(next, at + 1));
    next = at + 1;
  }
  return [...joined, ...base.slice(next)];
}

/** Whether a value has a field that Calico lacks, however deep. */
function holdsExtension(schema: z.ZodType, value: unknown): boolean {
  if (Array.isArray(value)) {
    const element = elementOf(schema);
    return element !== undefined && value.some((item) => holdsExtension(element, item));
  }
  if (!isJsonObject(value)) return false;
  return Object.entries(value).some(([key, item]) => {
    const field = fieldOf(schema, key);
    if (field.type !== 'known' || item === undefined) return false;
    return hasMeta(field.schema, 'extension') || holdsExtension(field.schema, item);
  });
}

function unknownPaths(schema: z.ZodType | undefined, item: unknown): string[] {
  return schema ? unknownFields(schema, item).map(({ path }) => path) : [];
}
