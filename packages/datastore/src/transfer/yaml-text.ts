import { isJsonObject } from '@overland/model';
import { type Document, parseDocument } from 'yaml';

/**
 * Reads what `printYaml` wrote, also if somebody has edited it. Integers beyond 2^53 are bigints.
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
