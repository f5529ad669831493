import { isJsonObject } from './json.ts';

/** Deeper values are kept in another form. */
const MAX_DEPTH = 64;
/** YAML wants keys of one line, within 1024 characters; the longest label key has 317. */
const MAX_KEY = 1000;

/** Words and paths, and IPv4 addresses and prefixes: no version of YAML takes them for anything but text. */
const PLAIN = /^(?:[A-Za-z_/][A-Za-z0-9_./-]*|\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?)$/;
/** Plain words that some version of YAML takes for something else. */
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
/** What JSON leaves as it is and YAML does not take, or people cannot see. */
const INVISIBLE = /[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g;
/** In this order, and before all others. */
const FIRST_FIELDS = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

/** The value has no YAML that everybody would read back as it is. */
export class NoYamlError extends Error {
  override readonly name = 'NoYamlError';
}

/**
 * An object as YAML in block style. Any reader of YAML 1.1 or 1.2 gives the same data back.
 *
 * @param object As `parseJson` gives it.
 * @throws {NoYamlError} If it is too deep, or has keys too long.
 */
export function printYaml(object: object): string {
  const fields = new Map(Object.entries(object));
  const first = FIRST_FIELDS.filter((name) => fields.has(name));
  const rest = [...fields.keys()].filter((name) => !FIRST_FIELDS.includes(name));
  const sorted = Object.fromEntries([...first, ...rest].map((name) => [name, fields.get(name)]));
  return `${printValue(sorted, 0).trimStart()}\n`;
}

/** With what stands before it on its line: a space, or a line feed. */
function printValue(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw new NoYamlError(`more than ${MAX_DEPTH} levels`);
  const line = `\n${'  '.repeat(depth)}`;
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    return value.map((item) => `${line}-${inPlace(printValue(item, depth + 1))}`).join('');
  }
  if (!isJsonObject(value)) return ` ${printScalar(value)}`;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (entries.length === 0) return ' {}';
  return entries
    .map(([key, item]) => {
      const printed = printText(key);
      if (printed.length > MAX_KEY) throw new NoYamlError(`a key of ${key.length} characters`);
      return `${line}${printed}:${printValue(item, depth + 1)}`;
    })
    .join('');
}

/** The first field or item of what is in a list stands beside the dash. */
function inPlace(printed: string): string {
  return printed.replace(/^\n +/, ' ');
}

function printScalar(value: unknown): string {
  if (typeof value === 'string') return printText(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new NoYamlError(String(value));
  return String(value);
}

function printText(text: string): string {
  if (PLAIN.test(text) && !RESERVED.test(text)) return text;
  return JSON.stringify(text).replaceAll(
    INVISIBLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
