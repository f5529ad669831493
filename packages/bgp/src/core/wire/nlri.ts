import {
  ADDRESS_OCTETS,
  addressFromBytes,
  type Family,
  type Prefix,
  prefixOf,
} from '@overland/net';
import { type AttributeField, readU32 } from './attribute-set.ts';

/**
 * Whether a field is whole prefixes, none longer than the address. RFC 4271 section 4.3, RFC 7606 section 5.3.
 *
 *   +--------------+--------------------+
 *   | Length (1)   | Prefix (0..16)     |   Length is in bits, Prefix in whole octets.
 *   +--------------+--------------------+   Bits past the length are ignored.
 *
 * @param pathIdOctets 4 if each prefix follows a path identifier (RFC 7911 section 3), else 0.
 */
export function isNlri(
  { bytes, from, to }: AttributeField,
  maxBits: number,
  pathIdOctets: 0 | 4 = 0,
): boolean {
  let at = from;
  while (at < to) {
    at += pathIdOctets;
    const bits = bytes[at] ?? 0;
    if (at >= to || bits > maxBits) return false;
    at += 1 + ((bits + 7) >> 3);
  }
  return at === to;
}

/** One prefix of a field, for people. */
export interface DescribedPrefix {
  readonly prefix: Prefix;
  /** Path identifier; absent where none was negotiated. RFC 7911. */
  readonly pathId?: number;
}

/** The prefixes of a field for which {@link isNlri} holds, as text. Not for the hot path. */
export function describeNlri(
  family: Family,
  { bytes, from, to }: AttributeField,
  pathIdOctets: 0 | 4 = 0,
): DescribedPrefix[] {
  const described: DescribedPrefix[] = [];
  for (let at = from; at < to; ) {
    const pathId = pathIdOctets === 4 ? readU32(bytes, at) : undefined;
    at += pathIdOctets;
    const length = bytes[at] ?? 0;
    const octets = new Uint8Array(ADDRESS_OCTETS[family]);
    octets.set(bytes.subarray(at + 1, at + nlriOctets(length)));
    at += nlriOctets(length);
    const prefix = prefixOf(addressFromBytes(octets), length);
    described.push(pathId === undefined ? { prefix } : { prefix, pathId });
  }
  return described;
}

/** Octets that a prefix of `length` bits takes in a field. */
export function nlriOctets(length: number): number {
  return 1 + ((length + 7) >> 3);
}

/** Octets of a path identifier. RFC 7911 section 3. */
export const PATH_ID_OCTETS = 4;

const WORDS = { ipv4: 1, ipv6: 4 } as const satisfies Record<Family, number>;

/** The prefixes of one field as integers. One list serves all messages. */
export class NlriList {
  count = 0;
  /** 32-bit words of an address: 1 or 4. */
  wordsEach = 1;
  /** Prefix lengths in bits. */
  readonly lengths: Uint8Array;
  /** Words of the addresses, most significant first, one after the other; bits past the length are zero. */
  readonly words: Int32Array;
  /** Path identifiers; they mean nothing where none were read. RFC 7911. */
  readonly pathIds: Int32Array;

  /** @param capacity Most prefixes of a field: as many as it has octets, since `0.0.0.0/0` takes one. */
  constructor(capacity: number) {
    this.lengths = new Uint8Array(capacity);
    this.words = new Int32Array(4 * capacity);
    this.pathIds = new Int32Array(capacity);
  }

  /** Reads the field from `from` to `to`, for which {@link isNlri} holds. */
  read(family: Family, bytes: Uint8Array, from: number, to: number): void {
    this.wordsEach = WORDS[family];
    this.count = 0;
    for (let at = from; at < to; ) {
      const length = bytes[at] ?? 0;
      this.lengths[this.count] = length;
      if (family === 'ipv4') this.words[this.count] = wordOf(bytes, at + 1, length);
      else this.#readWords(bytes, at + 1, length);
      this.count += 1;
      at += nlriOctets(length);
    }
  }

  /** The same, with a path identifier before each prefix. RFC 7911 section 3. */
  readIdentified(family: Family, bytes: Uint8Array, from: number, to: number): void {
    this.wordsEach = WORDS[family];
    this.count = 0;
    for (let at = from; at < to; ) {
      this.pathIds[this.count] = wordOf(bytes, at, 32);
      at += PATH_ID_OCTETS;
      const length = bytes[at] ?? 0;
      this.lengths[this.count] = length;
      this.#readWords(bytes, at + 1, length);
      this.count += 1;
      at += nlriOctets(length);
    }
  }

  /** Makes the list the one prefix. */
  readOne(family: Family, octets: Uint8Array, length: number): void {
    const field = new Uint8Array(nlriOctets(length));
    field[0] = length;
    field.set(octets.subarray(0, field.length - 1), 1);
    this.read(family, field, 0, field.length);
  }

  #readWords(bytes: Uint8Array, from: number, length: number): void {
    const at = this.count * this.wordsEach;
    for (let i = 0; i < this.wordsEach; i += 1) {
      const bits = Math.max(0, Math.min(32, length - 32 * i));
      this.words[at + i] = wordOf(bytes, from + 4 * i, bits);
    }
  }
}

/** Up to 32 bits from `at` on, as one word; what is behind them is zero, and not read. */
function wordOf(bytes: Uint8Array, at: number, bits: number): number {
  if (bits === 0) return 0;
  let word = (bytes[at] ?? 0) << 24;
  if (bits > 8) word |= (bytes[at + 1] ?? 0) << 16;
  if (bits > 16) word |= (bytes[at + 2] ?? 0) << 8;
  if (bits > 24) word |= bytes[at + 3] ?? 0;
  return word & (-1 << (32 - bits));
}
