/** Bits of an address, by number of 32-bit words in it. */
const WORD_BITS = 32;

/**
 * Whether a field is whole prefixes, none longer than the address. RFC 4271 section 4.3, RFC 7606 section 5.3.
 *
 *   +--------------+--------------------+
 *   | Length (1)   | Prefix (0..16)     |   Length is in bits, Prefix in whole octets.
 *   +--------------+--------------------+   Bits past the length are ignored.
 */
export function isNlri(bytes: Uint8Array, from: number, to: number, maxBits: number): boolean {
  let at = from;
  while (at < to) {
    const bits = bytes[at] ?? 0;
    if (bits > maxBits) return false;
    at += 1 + ((bits + 7) >> 3);
  }
  return at === to;
}

/** Reads the prefixes of a field that {@link isNlri} holds for, one at a time, as integers. */
export class NlriReader {
  /** The address as 32-bit words, most significant first; bits past the length are zero. */
  readonly words = new Int32Array(4);
  /** Prefix length in bits. */
  length = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #to = 0;

  start(bytes: Uint8Array, from: number, to: number): void {
    this.#bytes = bytes;
    this.#at = from;
    this.#to = to;
  }

  /** @returns Whether there was another prefix. */
  next(): boolean {
    let at = this.#at;
    if (at >= this.#to) return false;
    const bytes = this.#bytes;
    const length = bytes[at] ?? 0;
    const end = at + 1 + ((length + 7) >> 3);
    let [word, index] = [0, 0];
    let shift = 24;
    for (at += 1; at < end; at += 1) {
      word |= (bytes[at] ?? 0) << shift;
      shift -= 8;
      if (shift < 0) {
        this.words[index] = word;
        index += 1;
        word = 0;
        shift = 24;
      }
    }
    const bits = length & (WORD_BITS - 1);
    if (bits === 0) {
      for (; index < 4; index += 1) this.words[index] = 0;
    } else {
      index = length >> 5;
      const last = shift === 24 ? (this.words[index] ?? 0) : word;
      this.words[index] = last & (-1 << (WORD_BITS - bits));
      for (index += 1; index < 4; index += 1) this.words[index] = 0;
    }
    this.length = length;
    this.#at = end;
    return true;
  }
}

/** Octets that a prefix of `length` bits takes in a field. */
export function nlriOctets(length: number): number {
  return 1 + ((length + 7) >> 3);
}
