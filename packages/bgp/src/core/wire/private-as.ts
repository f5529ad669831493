import type { PrivateAsMode } from '../config.ts';
import { type AsPathField, asNumbers } from './as-path.ts';
import { readU32, writeU32 } from './attribute-set.ts';

/** What to do with private AS numbers on the way out. */
export interface PrivateAsRule {
  readonly mode: PrivateAsMode;
  /** Ours. */
  readonly localAsn: number;
  /** Of the peer: it stays, so that the peer sees its own loops. */
  readonly peerAsn: number;
}

/** Whether an AS number is for private use. RFC 6996 section 5. */
export function isPrivateAs(asn: number): boolean {
  return (asn >= 64_512 && asn <= 65_534) || (asn >= 4_200_000_000 && asn <= 4_294_967_294);
}

/**
 * Writes a path as the rule wants it, from the start of `target`. Segments that lose all their AS numbers go.
 *
 * @param path Four octets per AS number.
 * @param target Not shorter than the path.
 * @returns Octets written.
 */
export function writeWithoutPrivateAs(
  path: AsPathField,
  { mode, localAsn, peerAsn }: PrivateAsRule,
  target: Uint8Array,
): number {
  const { bytes, from, to } = path;
  const leavesAll = mode === 'remove' && !asNumbers(path).every(isPrivateAs);
  let written = 0;
  for (let at = from; at < to; ) {
    const header = written;
    const end = at + 2 + 4 * (bytes[at + 1] ?? 0);
    target[header] = bytes[at] ?? 0;
    written += 2;
    for (at += 2; at < end; at += 4) {
      const asn = readU32(bytes, at);
      const isKept = leavesAll || asn === peerAsn || !isPrivateAs(asn);
      if (!isKept && mode !== 'replace') continue;
      writeU32(target, written, isKept ? asn : localAsn);
      written += 4;
    }
    target[header + 1] = (written - header - 2) / 4;
    if (written === header + 2) written = header;
  }
  return written;
}
