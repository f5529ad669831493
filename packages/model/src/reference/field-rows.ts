import { stringifyJson } from '../json.ts';
import type { JsonSchema } from './json-schema.ts';

/** One field of a kind, for people. */
export interface FieldRow {
  /** From the spec or status: `importV4[].cidr`. */
  readonly path: string;
  readonly type: string;
  /** As JSON, or in words; empty if there is none. */
  readonly default: string;
  /** What a value must be, beyond its type; empty for any. */
  readonly rule: string;
  readonly meaning: string;
  readonly required: boolean;
  readonly extension: boolean;
}

/** Fields that look the same are described once if they have more than this many fields of their own. */
const REPEATED_FIELDS = 3;

/**
 * The fields of the objects that a schema describes, nested ones behind the one that holds them. Where several hold
 * the same fields, they stand behind the first, unless they are to be repeated.
 */
export function fieldRows(schema: JsonSchema, { repeat = false } = {}): FieldRow[] {
  return rowsOf(schema, '', repeat ? undefined : new Map());
}

function rowsOf(schema: JsonSchema, prefix: string, seen?: Map<string, string>): FieldRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const required = schema.required?.includes(name) ?? false;
    const [inner, suffix] = innerObject(field);
    const shown = `${path}${suffix}`;
    const same = inner && seen && repeats(inner, shown, seen);
    const row = rowOf(field, { path, required, ...(same !== undefined && { same }) });
    return inner && same === undefined ? [row, ...rowsOf(inner, `${shown}.`, seen)] : [row];
  });
}

/** The object that a field holds, in a list or as a map's value, too, and how paths into it go on. */
function innerObject(field: JsonSchema): [JsonSchema | undefined, string] {
  if (field.properties) return [field, ''];
  if (field.items?.properties) return [field.items, '[]'];
  const { additionalProperties: values } = field;
  if (typeof values === 'object' && values.properties) return [values, '.*'];
  return [undefined, ''];
}

/** Where the same fields were described before. */
function repeats(inner: JsonSchema, path: string, seen: Map<string, string>): string | undefined {
  if (Object.keys(inner.properties ?? {}).length <= REPEATED_FIELDS) return undefined;
  const key = stringifyJson(inner.properties);
  const before = seen.get(key);
  if (before === undefined) seen.set(key, path);
  return before;
}

interface Place {
  readonly path: string;
  readonly required: boolean;
  /** Where the same fields were described before. */
  readonly same?: string;
}

function rowOf(field: JsonSchema, { path, required, same }: Place): FieldRow {
  const meaning = field.description ?? '';
  return {
    path,
    type: typeText(field),
    default: defaultText(field),
    rule: ruleText(field),
    meaning: same === undefined ? meaning : `${meaning} Fields as in ${same}.`.trim(),
    required,
    extension: field['x-overland-extension'] ?? false,
  };
}

function typeText(field: JsonSchema): string {
  if (field.anyOf) return field.anyOf.map(typeText).filter(isNew).join(' or ');
  if (field.type === 'array')
    return `list of ${field.items ? plural(typeText(field.items)) : 'anything'}`;
  if (field.type === 'object') return field.properties ? 'object' : 'map';
  return typeof field.type === 'string' ? field.type : (field.type ?? ['anything']).join(' or ');
}

function isNew(item: string, index: number, all: readonly string[]): boolean {
  return item !== '' && all.indexOf(item) === index;
}

function plural(type: string): string {
  return type
    .split(' or ')
    .map((word) => (word === 'anything' || word === 'null' ? word : `${word}s`))
    .join(' or ');
}

function defaultText(field: JsonSchema): string {
  if (field['x-overland-default'] !== undefined) return field['x-overland-default'];
  return field.default === undefined ? '' : stringifyJson(field.default);
}

function ruleText(field: JsonSchema): string {
  const { items } = field;
  const own = [
    allowed(field)?.map(String).join(', ') ?? field['x-overland-rule'],
    bounds(field.minimum, field.maximum, ''),
    bounds(field.minLength, field.maxLength, ' characters'),
    bounds(field.minItems, field.maxItems, ' items'),
  ];
  const ofItems = items && !items.properties ? ruleText(items) : '';
  return [...own, ofItems && `each: ${ofItems}`].filter(Boolean).join('; ');
}

/** The values that a field may have, if they are listed. */
function allowed(field: JsonSchema): readonly unknown[] | undefined {
  const single = field.anyOf?.map((choice) => choice.const);
  return field.enum ?? (single?.includes(undefined) ? undefined : single);
}

function bounds(least: number | undefined, most: number | undefined, unit: string): string {
  if (least === undefined && most === undefined) return '';
  if (least === 1 && most === undefined && unit !== '') return 'not empty';
  if (least === undefined) return `at most ${most}${unit}`;
  return most === undefined ? `at least ${least}${unit}` : `${least} to ${most}${unit}`;
}
