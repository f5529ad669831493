import { addressBytes, type IpAddress } from '@overland/net';
import type { Messages } from './tables.ts';
import { joined } from './tables.ts';
import { Attribute, announcement, u16, u32 } from './wire.ts';

/** 198.200.0.0/24, which is in no table. */
const MARKED_NLRI = [24, 198, 200, 0] as const;

/** UPDATEs that announce one prefix again and again, each with its number as a community. */
export function markedAnnouncements(count: number, asn: number, nextHop: IpAddress): Messages {
  const path = [0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, ...u32(asn)];
  return joined(
    Array.from({ length: count }, (_, sequence) =>
      announcement({
        family: 'ipv4',
        nextHop: [...addressBytes(nextHop)],
        nlri: MARKED_NLRI,
        path,
        rest: [0xc0, Attribute.Community, 4, ...u16(asn), ...u16(sequence)],
      }),
    ),
  );
}

/** The number of such an UPDATE, whose body lies from `at` to `end`; `undefined` if it is another one. */
export function sequenceOf(octets: Uint8Array, at: number, end: number): number | undefined {
  for (const [i, octet] of MARKED_NLRI.entries()) {
    if (octets[end - MARKED_NLRI.length + i] !== octet) return undefined;
  }
  const attributesAt = at + 4 + readU16(octets, at);
  for (let from = attributesAt; from < end - MARKED_NLRI.length; ) {
    const isLong = ((octets[from] ?? 0) & 0x10) !== 0;
    const length = isLong ? readU16(octets, from + 2) : (octets[from + 2] ?? 0);
    const next = from + (isLong ? 4 : 3) + length;
    if (octets[from + 1] === Attribute.Community) return readU16(octets, next - 2);
    from = next;
  }
  return undefined;
}

function readU16(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
}
