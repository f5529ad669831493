import type { Family } from '@overland/net';
import { prefixIndex } from './tables.ts';
import { Attribute } from './wire.ts';

/** AFI, SAFI; then, in MP_REACH_NLRI, the length of the next hop. */
const MP_FAMILY_OCTETS = 3;

/** Which prefixes of a table a peer has, from the UPDATEs that come. */
export class Tally {
  /** Prefixes that are announced now. */
  present = 0;
  readonly #family: Family;
  /** A bit for each prefix. */
  #bits = new Uint8Array(1024);

  constructor(family: Family) {
    this.#family = family;
  }

  /** Takes an UPDATE: its body lies from `at` to `end`. */
  take(octets: Uint8Array, at: number, end: number): void {
    const attributesAt = at + 2 + readU16(octets, at);
    const nlriAt = attributesAt + 2 + readU16(octets, attributesAt);
    if (this.#family === 'ipv4') {
      this.#each(octets, at + 2, attributesAt, false);
      this.#each(octets, nlriAt, end, true);
      return;
    }
    for (let from = attributesAt + 2; from < nlriAt; ) {
      const isLong = ((octets[from] ?? 0) & 0x10) !== 0;
      const valueAt = from + (isLong ? 4 : 3);
      const valueEnd = valueAt + (isLong ? readU16(octets, from + 2) : (octets[from + 2] ?? 0));
      const code = octets[from + 1];
      if (code === Attribute.MpReach) {
        const nextHopOctets = octets[valueAt + MP_FAMILY_OCTETS] ?? 0;
        this.#each(octets, valueAt + MP_FAMILY_OCTETS + 2 + nextHopOctets, valueEnd, true);
      } else if (code === Attribute.MpUnreach) {
        this.#each(octets, valueAt + MP_FAMILY_OCTETS, valueEnd, false);
      }
      from = valueEnd;
    }
  }

  #each(octets: Uint8Array, from: number, to: number, isAnnounced: boolean): void {
    for (let at = from; at < to; ) {
      const width = ((octets[at] ?? 0) + 7) >> 3;
      let word = 0;
      for (let i = 1; i <= 4; i += 1) word = (word << 8) | (i <= width ? (octets[at + i] ?? 0) : 0);
      this.#set(prefixIndex(this.#family, word), isAnnounced);
      at += 1 + width;
    }
  }

  #set(index: number, isAnnounced: boolean): void {
    const at = index >>> 3;
    const bit = 1 << (index & 7);
    if (at >= this.#bits.length) this.#grow(at);
    const octet = this.#bits[at] ?? 0;
    if (((octet & bit) !== 0) === isAnnounced) return;
    this.#bits[at] = octet ^ bit;
    this.present += isAnnounced ? 1 : -1;
  }

  #grow(at: number): void {
    const larger = new Uint8Array(2 * at);
    larger.set(this.#bits);
    this.#bits = larger;
  }
}

function readU16(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
}
