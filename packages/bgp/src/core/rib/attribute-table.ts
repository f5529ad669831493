import { ByteLog, MAX_BLOCK_OCTETS } from './memory/byte-log.ts';
import { Int32Column, Uint16Column, Uint32Column } from './memory/column.ts';
import { HashIndex } from './memory/hash-index.ts';
import { Ids } from './memory/ids.ts';

/** Largest attribute set that can be interned, octets. Four times what a message of 4096 octets can carry. */
export const MAX_ATTRIBUTE_OCTETS = Math.min(16_384, MAX_BLOCK_OCTETS);

/**
 * Path attribute sets, interned as normalised wire octets (wire/attribute-set.ts): equal sets are one id, and
 * comparing two routes' attributes is comparing two integers. Reference-counted.
 *
 * The next hop is no part of a set: it differs per peer where all else is equal.
 */
export class AttributeTable {
  readonly #ids = new Ids();
  readonly #positions = new Uint32Column();
  readonly #lengths = new Uint16Column();
  readonly #hashes = new Int32Column();
  readonly #references = new Int32Column();
  readonly #index = new HashIndex((id) => this.#hashes.get(id));
  readonly #log = new ByteLog((id, position) => this.#positions.set(id, position));

  /** Sets in the table. */
  get size(): number {
    return this.#ids.used;
  }

  /** Octets of memory behind the sets. */
  get capacity(): number {
    return this.#log.capacity;
  }

  /**
   * The id of the first `length` octets of `octets`, with one more reference.
   *
   * @param length At most {@link MAX_ATTRIBUTE_OCTETS}.
   */
  intern(octets: Uint8Array, length: number): number {
    const hash = hashOctets(octets, length);
    let id = this.#index.first(hash);
    while (id !== 0 && !this.#equals(id, hash, octets, length)) id = this.#index.following(id);
    if (id === 0) {
      id = this.#ids.take();
      this.#lengths.set(id, length);
      this.#hashes.set(id, hash);
      this.#positions.set(id, this.#log.append(id, octets, length));
      this.#index.insert(id, hash);
    }
    this.#references.set(id, this.#references.get(id) + 1);
    return id;
  }

  retain(id: number): void {
    this.#references.set(id, this.#references.get(id) + 1);
  }

  release(id: number): void {
    const references = this.#references.get(id) - 1;
    this.#references.set(id, references);
    if (references > 0) return;
    this.#index.remove(id, this.#hashes.get(id));
    this.#log.free(this.#positions.get(id), this.#lengths.get(id));
    this.#ids.giveBack(id);
  }

  /** Octets of a set. */
  length(id: number): number {
    return this.#lengths.get(id);
  }

  /** The octets, as a view that is valid until the table changes. */
  octets(id: number): Uint8Array {
    const position = this.#positions.get(id);
    const offset = this.#log.offsetOf(position);
    return this.#log.segmentOf(position).subarray(offset, offset + this.#lengths.get(id));
  }

  #equals(id: number, hash: number, octets: Uint8Array, length: number): boolean {
    if (this.#hashes.get(id) !== hash || this.#lengths.get(id) !== length) return false;
    const position = this.#positions.get(id);
    const segment = this.#log.segmentOf(position);
    const offset = this.#log.offsetOf(position);
    for (let i = 0; i < length; i += 1) {
      if (segment[offset + i] !== octets[i]) return false;
    }
    return true;
  }
}

/** MurmurHash3 (public domain) with the octets taken four at a time. */
function hashOctets(octets: Uint8Array, length: number): number {
  let hash = length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const word =
      (octets[i] ?? 0) |
      ((octets[i + 1] ?? 0) << 8) |
      ((octets[i + 2] ?? 0) << 16) |
      ((octets[i + 3] ?? 0) << 24);
    hash = round(hash, word);
  }
  for (; i < length; i += 1) hash = round(hash, octets[i] ?? 0);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}

function round(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e_2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b87_3593);
  const mixed = hash ^ k;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe654_6b64) | 0;
}
