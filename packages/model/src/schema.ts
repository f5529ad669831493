import type { z } from 'zod';
import { isJsonObject } from './json.ts';
import { nearestName } from './nearest-name.ts';
import { type Fault, formatPath, type Path, valueAt } from './validation.ts';

/** The parts of a zod definition that a walk over a schema needs. */
interface Definition {
  readonly type: string;
  readonly shape?: Record<string, z.ZodType>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
}

/** A schema without its `optional`, `default` and `transform` wrappings. */
function unwrap(schema: z.ZodType): Definition {
  const definition = schema.def as unknown as Definition;
  const inner = definition.innerType ?? definition.in;
  return inner ? unwrap(inner) : definition;
}

/** What a schema says about one field of an object. */
export type Field =
  | { readonly type: 'known'; readonly schema: z.ZodType }
  | { readonly type: 'unknown' }
  /** Inside something the schema does not describe: anything goes. */
  | { readonly type: 'free' };

/** Looks up the field `key` of the objects that `schema` describes. */
export function fieldOf(schema: z.ZodType | undefined, key: string): Field {
  if (!schema) return { type: 'free' };
  const definition = unwrap(schema);
  if (definition.type === 'record' && definition.valueType) {
    return { type: 'known', schema: definition.valueType };
  }
  if (!definition.shape) return { type: 'free' };
  const field = Object.hasOwn(definition.shape, key) ? definition.shape[key] : undefined;
  return field ? { type: 'known', schema: field } : { type: 'unknown' };
}

/** The schema of the items of an array; `undefined` if `schema` describes none. */
export function elementOf(schema: z.ZodType | undefined): z.ZodType | undefined {
  return schema && unwrap(schema).element;
}

/** The fields of the objects that `schema` describes; none if it describes other things. */
export function fieldsOf(schema: z.ZodType): [name: string, field: z.ZodType][] {
  return Object.entries(unwrap(schema).shape ?? {});
}

/** Whether what `schema` reads is computed from what it describes. */
export function isComputed(schema: z.ZodType): boolean {
  const { type, innerType } = schema.def as unknown as Definition;
  return type === 'pipe' || (innerType !== undefined && isComputed(innerType));
}

/** Names of the fields that `schema` describes. */
export function fieldNames(schema: z.ZodType): string[] {
  return Object.keys(unwrap(schema).shape ?? {});
}

/** A fault for every field that `schema` does not know, with the nearest name that it does know. */
export function unknownFields(schema: z.ZodType, value: unknown, path: Path = []): Fault[] {
  if (Array.isArray(value)) {
    const element = elementOf(schema);
    return element ? value.flatMap((item, i) => unknownFields(element, item, [...path, i])) : [];
  }
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const field = fieldOf(schema, key);
    if (field.type === 'free') return [];
    // Most values are scalars: nothing is in them, and nothing is allocated for them.
    if (field.type === 'known' && typeof item !== 'object') return [];
    const at = [...path, key];
    if (field.type === 'known') return unknownFields(field.schema, item, at);
    const nearest = nearestName(key, fieldNames(schema));
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    return [{ path: formatPath(at), value: undefined, rule: `is not a known field${hint}` }];
  });
}

/**
 * `value` without the fields that are null, or an empty string where none is allowed: both mean absent in Go.
 * A copy where there are any; nulls in arrays and in places the schema does not know stay.
 */
export function withoutNulls(schema: z.ZodType | undefined, value: unknown): unknown {
  if (!schema || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const element = elementOf(schema);
    const items = value.map((item) => withoutNulls(element, item));
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  if (!isJsonObject(value)) return value;
  let isSame = true;
  const fields: [string, unknown][] = [];
  for (const key of Object.keys(value)) {
    const item = value[key];
    const kept = withoutNull(schema, key, item);
    isSame &&= kept.length === 1 && kept[0] === item;
    for (const one of kept) fields.push([key, one]);
  }
  return isSame ? value : Object.fromEntries(fields);
}

/** The value of a field in a list, or an empty list if it is absent. */
function withoutNull(schema: z.ZodType, key: string, item: unknown): readonly unknown[] {
  // What can neither be absent nor hold anything absent.
  if (typeof item !== 'object' && item !== '') return [item];
  const field = fieldOf(schema, key);
  if (field.type !== 'known') return [item];
  const absent = item === null || (item === '' && isAbsentWhenEmpty(field.schema));
  return absent ? [] : [withoutNulls(field.schema, item)];
}

/** Whether the field may be left out, and cannot be an empty string. */
function isAbsentWhenEmpty(schema: z.ZodType): boolean {
  return schema.safeParse(undefined).success && !schema.safeParse('').success;
}

/**
 * What `schema` finds wrong with `value`, or the parsed value. Unknown fields are dropped.
 *
 * @param shown What faults show as the value: without secrets.
 */
export function parseWith<T>(
  schema: z.ZodType<T>,
  value: unknown,
  shown: unknown = value,
): { readonly parsed: T } | { readonly faults: Fault[] } {
  const result = schema.safeParse(value, { reportInput: false });
  if (result.success) return { parsed: result.data };
  return {
    faults: result.error.issues.flatMap((issue) => {
      const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
      return issueFaults(issue, path, valueAt(shown, path));
    }),
  };
}

function issueFaults(issue: z.core.$ZodIssue, path: Path, value: unknown): Fault[] {
  const fault = (rule: string): Fault[] => [{ path: formatPath(path), value, rule }];
  switch (issue.code) {
    case 'invalid_type':
      return fault(value === undefined ? 'is required' : `must be ${withArticle(issue.expected)}`);
    case 'invalid_value':
      return fault(
        value === undefined ? 'is required' : `must be ${issue.values.map(String).join(' or ')}`,
      );
    case 'too_small':
      return fault(`must ${bound('at least', issue.minimum, issue.origin)}`);
    case 'too_big':
      return fault(`must ${bound('at most', issue.maximum, issue.origin)}`);
    default:
      return fault(issue.message);
  }
}

function bound(words: string, limit: number | bigint, origin: string): string {
  if (origin === 'string') return `have ${words} ${limit} characters`;
  return origin === 'array' ? `have ${words} ${limit} items` : `be ${words} ${limit}`;
}

function withArticle(type: string): string {
  if (type === 'int') return 'a whole number';
  if (type === 'record') return 'an object';
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

/**
 * Where the fields are whose meta data sets `flag`, as paths from `schema`; not inside of fields that are found, or of
 * maps; in lists, as `NAME[]`, if that is asked for.
 */
export function pathsWithMeta(
  schema: z.ZodType,
  flag: string,
  { inLists = false } = {},
): readonly (readonly string[])[] {
  return fieldsOf(schema).flatMap(([name, field]) => {
    if (hasMeta(field, flag)) return [[name]];
    const element = inLists ? elementOf(field) : undefined;
    const [inner, step] = element ? [element, `${name}[]`] : [field, name];
    return pathsWithMeta(inner, flag, { inLists }).map((path) => [step, ...path]);
  });
}

/** Whether the meta data of a field sets `flag`. */
export function hasMeta(field: z.ZodType, flag: string): boolean {
  return field.meta()?.[flag] === true;
}
