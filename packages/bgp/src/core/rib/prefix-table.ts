import { ADDRESS_BITS, type Family, type Prefix, prefixFromBytes } from '@overland/net';
import { type NlriList, nlriOctets } from '../wire/nlri.ts';
import { HashIndex } from './memory/hash-index.ts';
import { Ids } from './memory/ids.ts';
import { Records } from './memory/records.ts';

const HOLDERS_SHIFT = 8;
const ONE_HOLDER = 1 << HOLDERS_SHIFT;
const LENGTH_MASK = ONE_HOLDER - 1;

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
  /** The words of the address; then length (8 bits) and holders (24 bits). */
  readonly #records: Records;
  readonly #index = new HashIndex();
  #hashes = new Int32Array(64);
  /** Means nothing: a use of what was fetched, for the compiler. */
  touched = 0;

  constructor(family: Family) {
    this.family = family;
    this.#words = ADDRESS_BITS[family] / 32;
    this.#records = new Records(this.#words + 1, 84);
  }

  /** The highest id in use so far: a bound for loops over all prefixes. */
  get highest(): number {
    return this.#ids.highest;
  }

  /** Prefixes in the table. */
  get size(): number {
    return this.#ids.used;
  }

  /** The ids of the prefixes of a list, in `ids`; 0 for those that nobody holds. */
  findAll(list: NlriList, ids: Int32Array): void {
    this.#hash(list);
    for (let i = 0; i < list.count; i += 1) ids[i] = this.#find(list, i, this.#hashes[i] ?? 0);
  }

  /** The ids of the prefixes of a list, in `ids`; new ones are lost unless the caller {@link hold}s them. */
  internAll(list: NlriList, ids: Int32Array): void {
    this.#hash(list);
    for (let i = 0; i < list.count; i += 1) {
      const hash = this.#hashes[i] ?? 0;
      ids[i] = this.#find(list, i, hash) || this.#create(list, i, hash);
    }
  }

  hold(id: number): void {
    this.#records.set(id, this.#words, this.#records.get(id, this.#words) + ONE_HOLDER);
  }

  /** Ends one {@link hold}; with the last one the prefix is forgotten. */
  release(id: number): void {
    const rest = this.#records.get(id, this.#words) - ONE_HOLDER;
    this.#records.set(id, this.#words, rest);
    if (rest >>> HOLDERS_SHIFT === 0) this.#forget(id, this.#hashOf(id));
  }

  /**
   * Ends one {@link hold} of each of the first `count` ids. Those of prefixes that are forgotten are moved to the front.
   * Where these are in the index is fetched for all of them at once, as when they were found.
   */
  releaseAll(ids: Int32Array, count: number): void {
    if (count > this.#hashes.length) this.#hashes = new Int32Array(count);
    const hashes = this.#hashes;
    let [gone, touched] = [0, 0];
    for (let i = 0; i < count; i += 1) {
      const id = ids[i] ?? 0;
      const rest = this.#records.get(id, this.#words) - ONE_HOLDER;
      this.#records.set(id, this.#words, rest);
      if (rest >>> HOLDERS_SHIFT !== 0) continue;
      const hash = this.#hashOf(id);
      ids[gone] = id;
      hashes[gone] = hash;
      gone += 1;
      touched ^= this.#index.touch(hash);
    }
    this.touched = touched;
    for (let i = 0; i < gone; i += 1) this.#forget(ids[i] ?? 0, hashes[i] ?? 0);
  }

  /** Prefix length in bits. */
  length(id: number): number {
    return this.#records.get(id, this.#words) & LENGTH_MASK;
  }

  /** Word `index` of the address, most significant first. */
  word(id: number, index: number): number {
    return this.#records.get(id, index);
  }

  /** Writes the words of the address, most significant first, as in `NlriList.words`. */
  readWords(id: number, target: Int32Array, at: number): void {
    for (let i = 0; i < this.#words; i += 1) target[at + i] = this.#records.get(id, i);
  }

  /** Writes the prefix as NLRI. RFC 4271 section 4.3. @returns The offset behind it. */
  writeNlri(id: number, target: Uint8Array, at: number): number {
    const length = this.length(id);
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
    return this.length(a) - this.length(b);
  }

  /** The prefix for people. */
  prefix(id: number): Prefix {
    const octets = new Uint8Array(this.#words * 4);
    this.writeAddress(id, octets, 0);
    return prefixFromBytes(octets, this.length(id));
  }

  /**
   * Hashes a list and looks at where each prefix would be in the index: the memory behind them is fetched all at
   * once here, not one after the other later.
   */
  #hash({ count, lengths, words, wordsEach }: NlriList): void {
    if (count > this.#hashes.length) this.#hashes = new Int32Array(count);
    const hashes = this.#hashes;
    let touched = 0;
    for (let i = 0; i < count; i += 1) {
      let hash = lengths[i] ?? 0;
      for (let at = i * wordsEach; at < (i + 1) * wordsEach; at += 1)
        hash = mix(hash, words[at] ?? 0);
      hashes[i] = hash;
      touched ^= this.#index.touch(hash);
    }
    this.touched = touched;
  }

  #find(list: NlriList, i: number, hash: number): number {
    const index = this.#index;
    const tag = tagOf(list.lengths[i] ?? 0);
    let slot = index.first(hash, tag);
    // An IPv4 hash and length are the prefix itself: see mix.
    while (slot >= 0 && this.#words > 1 && !this.#equals(index.idAt(slot), list, i)) {
      slot = index.following(slot, hash, tag);
    }
    return slot < 0 ? 0 : index.idAt(slot);
  }

  #equals(id: number, { lengths, words }: NlriList, i: number): boolean {
    if (this.length(id) !== lengths[i]) return false;
    const at = i * this.#words;
    for (let word = 0; word < this.#words; word += 1) {
      if (this.word(id, word) !== words[at + word]) return false;
    }
    return true;
  }

  #create({ lengths, words }: NlriList, i: number, hash: number): number {
    const id = this.#ids.take();
    const length = lengths[i] ?? 0;
    const at = i * this.#words;
    this.#records.ensure(id);
    for (let word = 0; word < this.#words; word += 1) {
      this.#records.set(id, word, words[at + word] ?? 0);
    }
    this.#records.set(id, this.#words, length);
    this.#index.insert(id, hash, tagOf(length));
    return id;
  }

  #forget(id: number, hash: number): void {
    this.#index.remove(id, hash, tagOf(this.length(id)));
    this.#ids.giveBack(id);
  }

  #hashOf(id: number): number {
    let hash = this.length(id);
    for (let i = 0; i < this.#words; i += 1) hash = mix(hash, this.word(id, i));
    return hash;
  }
}

/** What the index keeps beside the hash: for IPv4, the whole length. */
function tagOf(length: number): number {
  return length & 0x3f;
}

/**
 * The finalizer of MurmurHash3 (public domain). Every step can be undone: two IPv4 prefixes of the same length and
 * hash are the same prefix.
 */
function mix(hash: number, word: number): number {
  let mixed = hash ^ word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
