import { isJsonObject } from '@overland/model';
import { parseYaml } from '@overland/model/yaml';

/**
 * Reads what `printYaml` wrote, also if somebody has edited it. Integers beyond 2^53 are bigints.
 *
 * @throws {SyntaxError} If it is not YAML, or not one object.
 */
export function readYaml(text: string): { readonly [key: string]: unknown } {
  const [document, second] = parseYaml(text);
  if (!document || second) throw new SyntaxError('not one object');
  if ('error' in document) throw new SyntaxError(document.error.message);
  if (!isJsonObject(document.value)) throw new SyntaxError('not an object');
  return document.value;
}
