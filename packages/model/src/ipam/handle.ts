import { type JsonValue, stringifyJson } from '../json.ts';
import { FieldReader, IpamValueError, parseIpamObject, type UnknownFields } from './decode.ts';

/** What stands at `handleKey(id)`. The ID is in the key only. */
export interface Handle {
  /** Block → how many of its addresses the handle holds. */
  readonly blocks: Readonly<Record<string, number>>;
  readonly deleted: boolean;
  readonly unknown: UnknownFields;
}

/**
 * Decodes the value of a handle.
 *
 * @throws {IpamValueError} If it is not a handle.
 */
export function decodeHandle(text: string): Handle {
  const reader = new FieldReader('handle', parseIpamObject('handle', text));
  return {
    blocks: reader.map('block', count) ?? {},
    deleted: reader.flag('deleted'),
    unknown: reader.rest(),
  };
}

/** The inverse of {@link decodeHandle}. */
export function encodeHandle({ blocks, deleted, unknown }: Handle): string {
  return stringifyJson({ block: blocks, deleted, ...unknown });
}

function count(value: JsonValue): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw new IpamValueError(`handle: ${stringifyJson(value)} is not a count`);
}
