import { stringifyJson } from '../json.ts';
import { AFFINITY_STATES, type AffinityState } from '../kinds/block-affinity.ts';
import { FieldReader, IpamValueError, parseIpamObject, type UnknownFields } from './decode.ts';

/** What stands at `affinityKey(owner, cidr)`. */
export interface Affinity {
  readonly state: AffinityState;
  readonly deleted: boolean;
  readonly unknown: UnknownFields;
}

/**
 * Decodes the value of an affinity. An empty value is of old and means confirmed.
 *
 * @throws {IpamValueError} If it is not an affinity, or of a state we do not know.
 */
export function decodeAffinity(text: string): Affinity {
  if (text === '') return { state: 'confirmed', deleted: false, unknown: {} };
  const reader = new FieldReader('affinity', parseIpamObject('affinity', text));
  const given = reader.text('state') || 'confirmed';
  const state = AFFINITY_STATES.find((known) => known === given);
  if (!state) throw new IpamValueError(`affinity: unknown state ${given}`);
  return { state, deleted: reader.flag('deleted'), unknown: reader.rest() };
}

/** The inverse of {@link decodeAffinity}. */
export function encodeAffinity({ state, deleted, unknown }: Affinity): string {
  return stringifyJson({ state, deleted, ...unknown });
}
