import type { Family } from '@overland/net';
import { afiOf, familyFrom, SAFI_UNICAST } from './address-family.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** One family of the Long-Lived Graceful Restart capability. RFC 9494 section 3. */
export interface LongLivedFamily {
  readonly family: Family;
  /** F bit: the sender has kept forwarding through its restart. */
  readonly forwarding: boolean;
  /** How long the receiver should keep routes beyond the Restart Time, seconds, 0..2^24-1. */
  readonly staleSeconds: number;
}

/** The longest Long-lived Stale Time, seconds: about 194 days. */
export const MAX_STALE_SECONDS = 2 ** 24 - 1;

const FORWARDING = 0x80;
const FAMILY_OCTETS = 7;

/** Octets of the capability's value. */
export function longLivedOctets(families: readonly LongLivedFamily[]): number {
  return FAMILY_OCTETS * families.length;
}

/**
 * Encodes the value of the capability.
 *
 *   +---------+----------+-----------+---------------------------+
 *   | AFI (2) | SAFI (1) | Flags (1) | Long-lived Stale Time (3) |  for each family
 *   +---------+----------+-----------+---------------------------+
 */
export function encodeLongLived(families: readonly LongLivedFamily[], writer: Writer): void {
  for (const { family, forwarding, staleSeconds } of families) {
    writer.u16(afiOf(family)).u8(SAFI_UNICAST);
    writer.u8(forwarding ? FORWARDING : 0);
    writer.u8(staleSeconds >>> 16).u16(staleSeconds & 0xffff);
  }
}

/**
 * Decodes it; of several entries of a family the last one counts.
 *
 * @returns `undefined` if the length does not fit: the peer is then one without the capability, which costs no more than
 *   the longer time for its routes.
 */
export function decodeLongLived(field: Reader): LongLivedFamily[] | undefined {
  if (field.remaining % FAMILY_OCTETS !== 0) return undefined;
  const families = new Map<Family, LongLivedFamily>();
  while (field.remaining > 0) {
    const family = familyFrom(field.u16(), field.u8());
    const forwarding = (field.u8() & FORWARDING) !== 0;
    const staleSeconds = (field.u8() << 16) | field.u16();
    if (family) families.set(family, { family, forwarding, staleSeconds });
  }
  return [...families.values()];
}
