import { AttributeCode, type AttributeField, readU32, writeU32 } from '../wire/attribute-set.ts';
import type { CommunityValue } from '../wire/communities.ts';
import type { AttributeEdits } from './attribute-edits.ts';

/** Octets of a community: standard (RFC 1997) or large (RFC 8092). */
type CommunityOctets = 4 | 12;

/** Octets of each community of an attribute; `undefined` of other attributes. */
export function communityOctets(code: number): CommunityOctets | undefined {
  if (code === AttributeCode.Communities) return 4;
  return code === AttributeCode.LargeCommunities ? 12 : undefined;
}

/** Whether edits change communities of a kind. */
export function isAbout(edits: AttributeEdits, octets: CommunityOctets): boolean {
  const isOfKind = (value: CommunityValue) => octetsOf(value) === octets;
  return edits.replacesCommunities || edits.removed.some(isOfKind) || edits.added.some(isOfKind);
}

/**
 * Writes the communities of one kind, edited.
 *
 * @param field Those of the set; empty if it has none.
 * @returns The offset behind them.
 */
export function editCommunities(
  field: AttributeField,
  octets: CommunityOctets,
  { replacesCommunities, removed, added }: AttributeEdits,
  output: { readonly target: Uint8Array; readonly at: number },
): number {
  const { bytes, from, to } = field;
  const { target, at: start } = output;
  let out = start;
  for (let at = replacesCommunities ? to : from; at < to; at += octets) {
    if (includes(removed, bytes, at, octets)) continue;
    for (let i = 0; i < octets; i += 1) target[out + i] = bytes[at + i] ?? 0;
    out += octets;
  }
  const kept = out;
  for (const value of added) {
    if (octetsOf(value) === octets && !occurs(value, target, start, kept)) {
      out = writeCommunity(value, target, out);
    }
  }
  return out;
}

function octetsOf(value: CommunityValue): CommunityOctets {
  return typeof value === 'number' ? 4 : 12;
}

function includes(
  values: readonly CommunityValue[],
  bytes: Uint8Array,
  at: number,
  octets: CommunityOctets,
): boolean {
  for (const value of values) {
    if (octetsOf(value) === octets && isAt(value, bytes, at)) return true;
  }
  return false;
}

function occurs(value: CommunityValue, bytes: Uint8Array, from: number, to: number): boolean {
  const octets = octetsOf(value);
  for (let at = from; at < to; at += octets) if (isAt(value, bytes, at)) return true;
  return false;
}

/** Whether the octets at an offset are the community. */
export function isAt(value: CommunityValue, bytes: Uint8Array, at: number): boolean {
  if (typeof value === 'number') return readU32(bytes, at) === value;
  const [global, first, second] = value;
  return (
    readU32(bytes, at) === global &&
    readU32(bytes, at + 4) === first &&
    readU32(bytes, at + 8) === second
  );
}

function writeCommunity(value: CommunityValue, target: Uint8Array, at: number): number {
  const parts = typeof value === 'number' ? [value] : value;
  for (const [i, part] of parts.entries()) writeU32(target, at + 4 * i, part);
  return at + 4 * parts.length;
}
