import { ByteLog, MAX_BLOCK_OCTETS } from './memory/byte-log.ts';
import { HashIndex } from './memory/hash-index.ts';
import { Ids } from './memory/ids.ts';
import { Records } from './memory/records.ts';

/**
 * Largest attribute set that can be interned, octets: four times what a message of 4096 octets can carry. In a longer
 * message (RFC 8654) a larger set is treated as withdrawal.
 */
export const MAX_ATTRIBUTE_OCTETS = Math.min(16_384, MAX_BLOCK_OCTETS);

const Field = { Position: 0, Length: 1, Hash: 2, References: 3 } as const;
const FIELDS = 4;

/**
 * Path attribute sets, interned as normalised wire octets (wire/attribute-set.ts): equal sets are one id, and
 * comparing two routes' attributes is comparing two integers. Reference-counted.
 *
 * The next hop is no part of a set: it differs per peer where all else is equal.
 */
export class AttributeTable {
  readonly #ids = new Ids();
  readonly #records = new Records(FIELDS);
  readonly #index = new HashIndex();
  readonly #log = new ByteLog((id, position) => this.#records.set(id, Field.Position, position));

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
    let id = this.#find(hash, octets, length);
    if (id === 0) {
      id = this.#ids.take();
      this.#records.ensure(id);
      this.#records.set(id, Field.Length, length);
      this.#records.set(id, Field.Hash, hash);
      this.#records.set(id, Field.References, 0);
      this.#records.set(id, Field.Position, this.#log.append(id, octets, length));
      this.#index.insert(id, hash, tagOf(length));
    }
    this.retain(id);
    return id;
  }

  retain(id: number): void {
    this.#records.set(id, Field.References, this.#records.get(id, Field.References) + 1);
  }

  release(id: number): void {
    const references = this.#records.get(id, Field.References) - 1;
    this.#records.set(id, Field.References, references);
    if (references > 0) return;
    const length = this.length(id);
    this.#index.remove(id, this.#records.get(id, Field.Hash), tagOf(length));
    this.#log.free(this.#position(id), length);
    this.#ids.giveBack(id);
  }

  /** Octets of a set. */
  length(id: number): number {
    return this.#records.get(id, Field.Length);
  }

  /** The array that holds a set, {@link length} octets from {@link offset} on, until the table changes. */
  bytes(id: number): Uint8Array {
    return this.#log.segmentOf(this.#position(id));
  }

  offset(id: number): number {
    return this.#log.offsetOf(this.#position(id));
  }

  #position(id: number): number {
    return this.#records.get(id, Field.Position) >>> 0;
  }

  #find(hash: number, octets: Uint8Array, length: number): number {
    const index = this.#index;
    const tag = tagOf(length);
    let slot = index.first(hash, tag);
    while (slot >= 0 && !this.#equals(index.idAt(slot), octets, length)) {
      slot = index.following(slot, hash, tag);
    }
    return slot < 0 ? 0 : index.idAt(slot);
  }

  #equals(id: number, octets: Uint8Array, length: number): boolean {
    if (this.length(id) !== length) return false;
    const position = this.#position(id);
    const segment = this.#log.segmentOf(position);
    const offset = this.#log.offsetOf(position);
    for (let i = 0; i < length; i += 1) {
      if (segment[offset + i] !== octets[i]) return false;
    }
    return true;
  }
}

/** What the index keeps beside the hash. */
function tagOf(length: number): number {
  return length & 0x3f;
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
