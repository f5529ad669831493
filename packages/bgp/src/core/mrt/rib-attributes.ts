import { ADDRESS_OCTETS, type Family } from '@overland/net';
import { afiOf, SAFI_UNICAST } from '../wire/address-family.ts';
import type { EncodedAttributes } from '../wire/attribute-encoder.ts';
import {
  AttributeCode,
  AttributeCursor,
  AttributeFlag,
  attributeType,
  writeAttributeHeader,
} from '../wire/attribute-set.ts';
import { Writer } from '../wire/writer.ts';

const NEXT_HOP = attributeType(AttributeFlag.Transitive, AttributeCode.NextHop);
const MP_REACH = attributeType(AttributeFlag.Optional, AttributeCode.MpReach);
/** Of an attribute's header. */
const MAX_HEADER_OCTETS = 4;
const SHORT_HEADER_OCTETS = 3;

/** An attribute set where it lies in memory. */
export interface SetField {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

/**
 * Writes the attributes of an entry of a RIB: an attribute set and its next hop. RFC 6396 section 4.3.4: for IPv6,
 * MP_REACH_NLRI holds the length of the next hop and the next hop, nothing else.
 *
 * @param nextHop 4 octets, or 16 or 32 (global, then link-local).
 */
export function writeRibAttributes(writer: Writer, set: SetField, nextHop: Uint8Array): void {
  const isIpv4 = nextHop.length === ADDRESS_OCTETS.ipv4;
  const at = endOfLower(set, isIpv4 ? AttributeCode.NextHop : AttributeCode.MpReach);
  writer.bytes(set.bytes.subarray(set.offset, at));
  const length = isIpv4 ? nextHop.length : nextHop.length + 1;
  writer.bytes(headerOf(isIpv4 ? NEXT_HOP : MP_REACH, length));
  if (!isIpv4) writer.u8(nextHop.length);
  writer.bytes(nextHop).bytes(set.bytes.subarray(at, set.offset + set.length));
}

/** The same as they stand in an UPDATE: next hops of 4 octets in a NEXT_HOP, others in an MP_REACH_NLRI that is still to be made. */
export function setWithNextHop(set: SetField, nextHop: Uint8Array): EncodedAttributes {
  if (nextHop.length !== ADDRESS_OCTETS.ipv4) {
    const octets = set.bytes.subarray(set.offset, set.offset + set.length);
    return { octets, length: set.length, nextHopAt: -1 };
  }
  const writer = new Writer();
  writeRibAttributes(writer, set, nextHop);
  const octets = writer.finish();
  const nextHopAt = endOfLower(set, AttributeCode.NextHop) - set.offset + SHORT_HEADER_OCTETS;
  return { octets, length: octets.length, nextHopAt };
}

function headerOf(type: number, length: number): Uint8Array {
  const header = new Uint8Array(MAX_HEADER_OCTETS);
  return header.subarray(0, writeAttributeHeader(header, 0, type, length));
}

/** Where in a set an attribute of a code belongs. */
function endOfLower({ bytes, offset, length }: SetField, code: number): number {
  const cursor = new AttributeCursor();
  cursor.start(bytes, offset, length);
  let end = offset;
  while (cursor.next() && cursor.code < code) end = cursor.to;
  return end;
}

/**
 * Attributes of an entry as they stand in an UPDATE: a next hop alone becomes an MP_REACH_NLRI with that next hop
 * and the prefix. Attributes that cannot be followed stay as they are.
 *
 * @param nlri The prefix, to go into MP_REACH_NLRI.
 */
export function updateAttributes(
  attributes: Uint8Array,
  family: Family,
  nlri: Uint8Array,
): Uint8Array {
  const cursor = new AttributeCursor();
  cursor.start(attributes, 0, attributes.length);
  for (let from = 0; cursor.next(); from = cursor.to) {
    if (cursor.code !== AttributeCode.MpReach) continue;
    const hopOctets = nextHopOctets(cursor, family);
    if (hopOctets < 0 || cursor.to > attributes.length) return attributes;
    // A whole MP_REACH_NLRI, as some write it: its next hop stands behind the family.
    const hopFrom = cursor.to - cursor.from === hopOctets + 1 ? cursor.from + 1 : cursor.from + 4;
    const nextHop = attributes.subarray(hopFrom, hopFrom + hopOctets);
    const value = new Writer().u16(afiOf(family)).u8(SAFI_UNICAST).u8(hopOctets);
    value.bytes(nextHop).u8(0).bytes(nlri);
    return new Writer()
      .bytes(attributes.subarray(0, from))
      .bytes(headerOf(MP_REACH, value.length))
      .bytes(value.finish())
      .bytes(attributes.subarray(cursor.to))
      .finish();
  }
  return attributes;
}

/** Octets of the next hop of an MP_REACH_NLRI, which begins with its length, or with the family; -1 if neither. */
function nextHopOctets({ bytes, from, to }: AttributeCursor, family: Family): number {
  const first = bytes[from] ?? 0;
  if (first > 0) return first === to - from - 1 ? first : -1;
  const length = bytes[from + 3] ?? 0;
  const isFamily = bytes[from + 1] === afiOf(family) && bytes[from + 2] === SAFI_UNICAST;
  return isFamily && from + 4 + length <= to ? length : -1;
}
