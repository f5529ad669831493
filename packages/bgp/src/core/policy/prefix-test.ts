import { ADDRESS_BITS, type Family, prefixBytes } from '@overland/net';
import { readU32 } from '../wire/attribute-set.ts';
import type { PrefixMatch } from './route-filter.ts';

/** Whether a prefix (see `PrefixVerdicts.verdict`) meets a condition. */
export type PrefixTest = (words: Int32Array, at: number, lengthBits: number) => boolean;

/** @param match Of the family that will be asked about. */
export function prefixTest(match: PrefixMatch): PrefixTest {
  const { family, octets, length } = prefixBytes(match.prefix);
  const isExact = match.operator === 'equal' || match.operator === 'notEqual';
  const shortest = Math.max(length, match.minLength ?? 0);
  const longest = Math.min(isExact ? length : ADDRESS_BITS[family], match.maxLength ?? 128);
  const isMatch = match.operator === 'equal' || match.operator === 'in';
  const covers = coverTest(family, octets, length);
  return (words, at, lengthBits) =>
    (lengthBits >= shortest && lengthBits <= longest && covers(words, at)) === isMatch;
}

/** Whether the first `length` bits of an address are those of `octets`. */
function coverTest(
  family: Family,
  octets: Uint8Array,
  length: number,
): (words: Int32Array, at: number) => boolean {
  const count = ADDRESS_BITS[family] / 32;
  const masks = Int32Array.from({ length: count }, (_, i) => maskOf(length - 32 * i));
  const network = Int32Array.from({ length: count }, (_, i) => readU32(octets, 4 * i));
  const used = Math.ceil(length / 32);
  if (used === 0) return () => true;
  const [mask = 0] = masks;
  const [first = 0] = network;
  if (used === 1) return (words, at) => ((words[at] ?? 0) & mask) === first;
  return (words, at) => {
    for (let i = 0; i < used; i += 1) {
      if (((words[at + i] ?? 0) & (masks[i] ?? 0)) !== network[i]) return false;
    }
    return true;
  };
}

/** A word with its first `bits` bits set. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}
