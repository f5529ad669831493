import { isJsonObject } from '@overland/model';
import { keyRange, RESOURCES_PREFIX } from './key-ranges.ts';
import type { KeyValue } from './source.ts';

/** Longest line: the largest value that a datastore takes, every character of it escaped. */
export const MAX_LINE = 16 * 1024 * 1024;

const FOLDER = 'raw/';

/** The file of the keys that are kept as they are stored: `raw/ipam-blocks.jsonl`. */
export function rawPathOf(key: string): string {
  const what = key.startsWith(RESOURCES_PREFIX) ? 'resources' : keyRange(key).what;
  const name = what.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return `${FOLDER}${name}.jsonl`;
}

/** Whether a path is one that {@link rawPathOf} gives. */
export function isRawPath(path: string): boolean {
  return /^raw\/[a-z0-9-]{1,64}\.jsonl$/.test(path);
}

/** A key and its value, to the letter. */
export function rawLine({ key, value }: KeyValue): string {
  return JSON.stringify({ key, value });
}

/** The inverse of {@link rawLine}. @throws {SyntaxError} If it is none, or of a key that does not move. */
export function parseRawLine(line: string): KeyValue {
  const parsed: unknown = JSON.parse(line);
  if (isJsonObject(parsed) && typeof parsed.key === 'string' && typeof parsed.value === 'string') {
    const { key, value } = parsed;
    const isOurs = key.startsWith('/calico/') || key.startsWith('/overland/');
    if (isOurs && keyRange(key).leftOut === undefined) return { key, value };
    throw new SyntaxError(`${key} is no key that an export holds`);
  }
  throw new SyntaxError('a line has no key and value');
}
