import { ADDRESS_BITS, ADDRESS_OCTETS, type Family } from '@overland/net';
import { familyFrom } from './address-family.ts';
import type { AttributeField } from './attribute-set.ts';
import { isNlri } from './nlri.ts';

/** Prefixes of one family inside a message, and the next hop they were announced with. */
export interface NlriSection {
  family: Family;
  /** Offsets of the prefixes; equal if there are none. */
  from: number;
  to: number;
  /** Offset and length of the next hop: 4, 16 or 32 octets (global, then link-local); length 0 for withdrawals. */
  nextHopFrom: number;
  nextHopOctets: number;
}

/** What a session negotiated that decides how prefixes read. */
export interface NlriContext {
  readonly families: readonly Family[];
  /** Families whose prefixes have path identifiers in what the peer sends (RFC 7911); absent: none. */
  readonly addPath?: readonly Family[];
  /** Families other than IPv6 whose next hops may be IPv6 addresses (RFC 8950); absent: none. */
  readonly extendedNextHop?: readonly Family[];
}

/** Octets before each prefix of a family. */
export function pathIdOctets(family: Family, addPath: readonly Family[] | undefined): 0 | 4 {
  return addPath?.includes(family) ? 4 : 0;
}

/** A section without prefixes. */
export function emptySection(): NlriSection {
  return { family: 'ipv4', from: 0, to: 0, nextHopFrom: 0, nextHopOctets: 0 };
}

/**
 * Splits MP_REACH_NLRI into `section`. RFC 4760 section 3, RFC 2545 section 3, RFC 8950 section 3.
 *
 *   +---------+----------+---------------+----------+--------------+------+
 *   | AFI (2) | SAFI (1) | Next hop      | Next hop | Reserved (1) | NLRI |
 *   |         |          | length (1)    |          |              |      |
 *   +---------+----------+---------------+----------+--------------+------+
 *
 * @returns `ignored` for a family that the session did not negotiate; `unusable` for IPv4 prefixes with an IPv6 next hop that it
 *   did not: where the prefixes are is clear all the same.
 */
export function splitMpReach(
  { bytes, from, to }: AttributeField,
  context: NlriContext,
  section: NlriSection,
): 'well-formed' | 'malformed' | 'ignored' | 'unusable' {
  const { families, addPath } = context;
  if (to - from < 5) return 'malformed';
  const family = familyAt(bytes, from);
  if (!family || !families.includes(family)) return 'ignored';
  const nextHopOctets = bytes[from + 3] ?? 0;
  const nextHopFrom = from + 4;
  const nlriFrom = nextHopFrom + nextHopOctets + 1;
  if (!isNextHop(family, nextHopOctets) || nlriFrom > to) return 'malformed';
  const field = { bytes, from: nlriFrom, to };
  if (!isNlri(field, ADDRESS_BITS[family], pathIdOctets(family, addPath))) return 'malformed';
  section.family = family;
  section.from = nlriFrom;
  section.to = to;
  section.nextHopFrom = nextHopFrom;
  section.nextHopOctets = nextHopOctets;
  const isExpected =
    nextHopOctets === ADDRESS_OCTETS[family] ||
    family === 'ipv6' ||
    context.extendedNextHop?.includes(family);
  return isExpected ? 'well-formed' : 'unusable';
}

/** IPv6: one address, or a global and a link-local one (RFC 2545 section 3). RFC 8950 section 3 for IPv4 prefixes. */
function isNextHop(family: Family, octets: number): boolean {
  const isIpv6 = octets === ADDRESS_OCTETS.ipv6 || octets === 2 * ADDRESS_OCTETS.ipv6;
  return isIpv6 || octets === ADDRESS_OCTETS[family];
}

/**
 * Splits MP_UNREACH_NLRI into `section`. RFC 4760 section 4.
 *
 *   +---------+----------+------------------+
 *   | AFI (2) | SAFI (1) | Withdrawn routes |
 *   +---------+----------+------------------+
 */
export function splitMpUnreach(
  { bytes, from, to }: AttributeField,
  { families, addPath }: NlriContext,
  section: NlriSection,
): 'well-formed' | 'malformed' | 'ignored' {
  if (to - from < 3) return 'malformed';
  const family = familyAt(bytes, from);
  if (!family || !families.includes(family)) return 'ignored';
  const field = { bytes, from: from + 3, to };
  if (!isNlri(field, ADDRESS_BITS[family], pathIdOctets(family, addPath))) return 'malformed';
  section.family = family;
  section.from = from + 3;
  section.to = to;
  return 'well-formed';
}

function familyAt(bytes: Uint8Array, at: number): Family | undefined {
  return familyFrom(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0), bytes[at + 2] ?? 0);
}
