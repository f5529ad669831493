import type { Family } from '@overland/net';
import { afiOf, familyFrom, SAFI_UNICAST } from './address-family.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** What a side does with several paths of a prefix, for one family. RFC 7911 section 4. */
export interface AddPath {
  readonly family: Family;
  /** It takes path identifiers. */
  readonly receive: boolean;
  /** It wants to send them. */
  readonly send: boolean;
}

const RECEIVE = 1;
const SEND = 2;
const ENTRY_OCTETS = 4;

/** Octets of {@link encodeAddPath}. */
export function addPathOctets(entries: readonly AddPath[]): number {
  return ENTRY_OCTETS * entries.length;
}

/**
 * Writes the value of the ADD-PATH capability. RFC 7911 section 4.
 *
 *   +---------+----------+------------------+
 *   | AFI (2) | SAFI (1) | Send/Receive (1) |   any number of times
 *   +---------+----------+------------------+
 */
export function encodeAddPath(entries: readonly AddPath[], writer: Writer): void {
  for (const { family, receive, send } of entries) {
    writer.u16(afiOf(family)).u8(SAFI_UNICAST);
    writer.u8((receive ? RECEIVE : 0) | (send ? SEND : 0));
  }
}

/**
 * Reads the value of the ADD-PATH capability. Families that we do not speak are not here, nor are entries with a
 * value other than receive, send or both, which are to be ignored (RFC 7911 section 4).
 *
 * @throws {BgpError} OPEN Message Error, unspecific (2/0), if the length does not fit.
 */
export function decodeAddPath(field: Reader): AddPath[] {
  if (field.remaining % ENTRY_OCTETS !== 0) {
    throw field.error(`ADD-PATH capability of ${field.remaining} octets`);
  }
  const entries: AddPath[] = [];
  while (field.remaining > 0) {
    const family = familyFrom(field.u16(), field.u8());
    const mode = field.u8();
    if (!family || mode === 0 || mode > (RECEIVE | SEND)) continue;
    entries.push({ family, receive: (mode & RECEIVE) !== 0, send: (mode & SEND) !== 0 });
  }
  return entries;
}

/** Entries of which the later ones of a family replace the earlier ones. */
export function mergeAddPath(earlier: readonly AddPath[], later: readonly AddPath[]): AddPath[] {
  return [...new Map([...earlier, ...later].map((entry) => [entry.family, entry])).values()];
}
