/** A JSON value as {@link parseJson} gives it: integers that a number cannot hold are bigints. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

// ES2026 (proposal-json-parse-with-source), in V8 since 11.4; TypeScript has no types for it yet.
type SourceReviver = (key: string, value: unknown, context: { source?: string }) => unknown;
const parseWithSource = JSON.parse as (text: string, reviver?: SourceReviver) => JsonValue;
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

/** The shortest digit run that may lie beyond 2^53. Also matches inside strings: that only costs time. */
const MAY_HOLD_LARGE_INTEGER = /\d{16}/;
const INTEGER = /^-?\d+$/;

/**
 * Parses JSON like `JSON.parse`, but keeps integers exact: those beyond 2^53 become bigints. Calico's block
 * sequence numbers start at about 1.8e18.
 *
 * @throws {SyntaxError} If `text` is not JSON.
 */
export function parseJson(text: string): JsonValue {
  return MAY_HOLD_LARGE_INTEGER.test(text)
    ? parseWithSource(text, keepExact)
    : parseWithSource(text);
}

function keepExact(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return source !== undefined && INTEGER.test(source) ? BigInt(source) : value;
}

/** Writes JSON like `JSON.stringify`; a bigint becomes an integer of any size. */
export function stringifyJson(value: unknown, indent?: number): string {
  try {
    // Without a replacer it is several times as fast, and it says when there is a bigint.
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, exactInteger, indent);
  }
}

function exactInteger(_key: string, item: unknown): unknown {
  return typeof item === 'bigint' ? rawJSON(item.toString()) : item;
}

/** Whether `value` is a JSON object: neither an array nor null. */
export function isJsonObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two values are equal as JSON data: object keys in any order, `undefined` as absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) if (!sameJson(a[key], b[key])) return false;
  return true;
}
