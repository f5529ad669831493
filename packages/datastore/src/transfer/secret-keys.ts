import {
  type AnyResource,
  isJsonObject,
  kindTable,
  parseJson,
  parseResourceKey,
  secretPaths,
  ValidationError,
} from '@overland/model';
import { EXTENSIONS_PREFIX, RESOURCES_PREFIX } from './key-ranges.ts';
import type { KeyValue } from './source.ts';

/** Whether a stored value holds a secret, such as the password of a BGPPeer. */
export function holdsSecret({ key, value }: KeyValue): boolean {
  const objectKey = key.startsWith(EXTENSIONS_PREFIX)
    ? RESOURCES_PREFIX + key.slice(EXTENSIONS_PREFIX.length)
    : key;
  const kind = parseResourceKey(objectKey)?.kind;
  if (!kind || kindTable(kind).secrets.length === 0) return false;
  try {
    const stored = parseJson(value);
    return isJsonObject(stored) && secretPaths({ ...stored, kind } as AnyResource).length > 0;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Keys with secrets would be sent where others can read them. */
export function exposedSecrets(keys: readonly string[]): ValidationError {
  const rule =
    'holds a secret, which must not be sent to an etcd without TLS: use https endpoints, or keep the secret in a file of the node';
  const faults = keys.map((path) => ({ path, value: undefined, rule }));
  return new ValidationError('target', faults);
}
