import type { z } from 'zod';
import { isJsonObject, sameJson } from './json.ts';
import { type Kind, kindTable } from './kinds.ts';
import { elementOf, fieldOf } from './schema.ts';

/**
 * What to store when an object that was read as `before` is written as `after`: the stored form, with only
 * the differences applied. Fields we do not know, nulls, empty strings and spellings (`"65001"`, `1.10`) stay as
 * they are wherever the object did not change.
 *
 * @param stored As the datastore has it.
 * @param before As `readResource` gave it.
 * @param after As the caller wants it.
 */
export function carryOver(kind: Kind, stored: unknown, before: unknown, after: unknown): unknown {
  return merge(kindTable(kind).schema, stored, before, after);
}

function merge(
  schema: z.ZodType | undefined,
  stored: unknown,
  before: unknown,
  after: unknown,
): unknown {
  if (sameJson(before, after)) return stored;
  if (Array.isArray(stored) && Array.isArray(before) && Array.isArray(after)) {
    return mergeArrays(elementOf(schema), stored, before, after);
  }
  if (!isJsonObject(stored) || !isJsonObject(before) || !isJsonObject(after)) return after;
  const changed = Object.entries(after).flatMap(([key, item]) => {
    if (item === undefined) return [];
    // A default that was filled in on read stays absent.
    if (stored[key] === undefined && sameJson(before[key], item)) return [];
    const field = fieldOf(schema, key);
    const inner = field.type === 'known' ? field.schema : undefined;
    return [[key, merge(inner, stored[key], before[key], item)] as const];
  });
  const kept = Object.entries(stored).filter(([key, item]) => {
    if (after[key] !== undefined) return false;
    return item === null || item === '' || fieldOf(schema, key).type === 'unknown';
  });
  return Object.fromEntries([...changed, ...kept]);
}

/** Items are the same if they are equal; failing that, in arrays of one length, if they stand at one place. */
function mergeArrays(
  element: z.ZodType | undefined,
  stored: readonly unknown[],
  before: readonly unknown[],
  after: readonly unknown[],
): unknown[] {
  return after.map((item, i) => {
    if (sameJson(before[i], item)) return stored[i] ?? item;
    const old = before.findIndex((other) => sameJson(other, item));
    if (old >= 0) return stored[old] ?? item;
    return before.length === after.length ? merge(element, stored[i], before[i], item) : item;
  });
}
