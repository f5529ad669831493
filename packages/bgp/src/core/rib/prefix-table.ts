import { ADDRESS_BITS, type Family, type Prefix, prefixFromBytes } from '@overland/net';
import { nlriOctets } from '../wire/nlri.ts';
import { Int32Column, Uint8Column } from './memory/column.ts';
import { HashIndex } from './memory/hash-index.ts';
import { Ids } from './memory/ids.ts';

/**
 * Prefixes of one family as integer ids. Every table of the engine is indexed by these ids, and the speakers
 * of a simulation may share one prefix table.
 *
 * A prefix lives while somebody holds it; its id is reused afterwards.
 */
export class PrefixTable {
  readonly family: Family;
  readonly #words: number;
  readonly #ids = new Ids();
  readonly #addresses = new Int32Column();
  readonly #lengths = new Uint8Column();
  readonly #holders = new Int32Column();
  readonly #index: HashIndex;

  constructor(family: Family) {
    this.family = family;
    this.#words = ADDRESS_BITS[family] / 32;
    this.#index = new HashIndex((id) => this.#hashOf(id));
  }

  /** The highest id in use so far: a bound for loops over all prefixes. */
  get highest(): number {
    return this.#ids.highest;
  }

  /** Prefixes in the table. */
  get size(): number {
    return this.#ids.used;
  }

  /** The id of a prefix; 0 if nobody holds it. */
  find(words: Int32Array, length: number): number {
    return this.#find(words, length, hashPrefix(words, this.#words, length));
  }

  /** The id of a prefix, a new one if need be. The caller holds it, or it is lost: see {@link hold}. */
  intern(words: Int32Array, length: number): number {
    const hash = hashPrefix(words, this.#words, length);
    const found = this.#find(words, length, hash);
    if (found !== 0) return found;
    const id = this.#ids.take();
    const at = id * this.#words;
    for (let i = 0; i < this.#words; i += 1) this.#addresses.set(at + i, words[i] ?? 0);
    this.#lengths.set(id, length);
    this.#index.insert(id, hash);
    return id;
  }

  hold(id: number): void {
    this.#holders.set(id, this.#holders.get(id) + 1);
  }

  /** Ends one {@link hold}; with the last one the prefix is forgotten. */
  release(id: number): void {
    const holders = this.#holders.get(id) - 1;
    this.#holders.set(id, holders);
    if (holders === 0) this.#forget(id);
  }

  /** Prefix length in bits. */
  length(id: number): number {
    return this.#lengths.get(id);
  }

  /** Word `index` of the address, most significant first. */
  word(id: number, index: number): number {
    return this.#addresses.get(id * this.#words + index);
  }

  /** Writes the prefix as NLRI. RFC 4271 section 4.3. @returns The offset behind it. */
  writeNlri(id: number, target: Uint8Array, at: number): number {
    const length = this.#lengths.get(id);
    const end = at + nlriOctets(length);
    target[at] = length;
    let word = 0;
    for (let to = at + 1, octet = 0; to < end; to += 1, octet += 1) {
      if ((octet & 3) === 0) word = this.word(id, octet >> 2);
      target[to] = word >>> 24;
      word <<= 8;
    }
    return end;
  }

  /** Writes the address, 4 or 16 octets, in network order. */
  writeAddress(id: number, target: Uint8Array, at: number): void {
    for (let i = 0; i < this.#words; i += 1) {
      const word = this.word(id, i);
      target[at + 4 * i] = word >>> 24;
      target[at + 4 * i + 1] = word >>> 16;
      target[at + 4 * i + 2] = word >>> 8;
      target[at + 4 * i + 3] = word;
    }
  }

  /** Orders by address, then shorter first. */
  compare(a: number, b: number): number {
    for (let i = 0; i < this.#words; i += 1) {
      const difference = (this.word(a, i) >>> 0) - (this.word(b, i) >>> 0);
      if (difference !== 0) return difference;
    }
    return this.#lengths.get(a) - this.#lengths.get(b);
  }

  /** The prefix for people. */
  prefix(id: number): Prefix {
    const octets = new Uint8Array(this.#words * 4);
    this.writeAddress(id, octets, 0);
    return prefixFromBytes(octets, this.#lengths.get(id));
  }

  #find(words: Int32Array, length: number, hash: number): number {
    let id = this.#index.first(hash);
    while (id !== 0 && !this.#equals(id, words, length)) id = this.#index.following(id);
    return id;
  }

  #equals(id: number, words: Int32Array, length: number): boolean {
    if (this.#lengths.get(id) !== length) return false;
    const at = id * this.#words;
    for (let i = 0; i < this.#words; i += 1) {
      if (this.#addresses.get(at + i) !== words[i]) return false;
    }
    return true;
  }

  #forget(id: number): void {
    this.#index.remove(id, this.#hashOf(id));
    this.#ids.giveBack(id);
  }

  #hashOf(id: number): number {
    const at = id * this.#words;
    let hash = this.#lengths.get(id);
    for (let i = 0; i < this.#words; i += 1) hash = mix(hash, this.#addresses.get(at + i));
    return hash;
  }
}

function hashPrefix(words: Int32Array, count: number, length: number): number {
  let hash = length;
  for (let i = 0; i < count; i += 1) hash = mix(hash, words[i] ?? 0);
  return hash;
}

/** One round of a multiplicative hash (constants of MurmurHash3, public domain). */
function mix(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0x85eb_ca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
