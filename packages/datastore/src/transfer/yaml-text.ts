import { isJsonObject } from '@overland/model';
import { type Document, parseDocument } from 'yaml';

/** Deeper values are kept in another form. */
const MAX_DEPTH = 64;
/** YAML wants keys of one line, within 1024 characters. */
const MAX_KEY = 256;

const PLAIN = /^[A-Za-z_/][A-Za-z0-9_./-]*$/;
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
export function printYaml(object: { readonly [key: string]: unknown }): string {
  const order = [...FIRST_FIELDS.filter((name) => Object.hasOwn(object, name))];
  const rest = Object.keys(object).filter((name) => !FIRST_FIELDS.includes(name));
  const sorted = Object.fromEntries([...order, ...rest].map((name) => [name, object[name]]));
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
  const entries = Object.entries(value);
  if (entries.length === 0) return ' {}';
  return entries
    .map(([key, item]) => {
      if (key.length > MAX_KEY) throw new NoYamlError(`a key of ${key.length} characters`);
      return `${line}${printText(key)}:${printValue(item, depth + 1)}`;
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

/**
 * Reads what {@link printYaml} wrote, also if somebody has edited it. Integers beyond 2^53 are bigints.
 *
 * @throws {SyntaxError} If it is not YAML, or not one object.
 */
export function readYaml(text: string): { readonly [key: string]: unknown } {
  const document = parseDocument(text, { intAsBigInt: true, prettyErrors: false });
  const [mistake] = document.errors;
  if (mistake) throw new SyntaxError(mistake.message);
  const value = dataOf(document);
  if (!isJsonObject(value)) throw new SyntaxError('not an object');
  return value;
}

function dataOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 0, reviver: asNumber });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw new SyntaxError('aliases are not read', { cause: error });
  }
}

function asNumber(_key: unknown, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
