import { grown } from './grown.ts';

const INITIAL_SLOTS = 8;
/** Slots in use, of all: more makes runs long. */
const MAX_LOAD = 0.66;
const GROWTH = 1.5;
const TWO_TO_THE_28 = 0x1000_0000;
/** 67 million: a table of that size would take 4 GB. */
const ID_BITS = 26;
const ID_MASK = (1 << ID_BITS) - 1;
const SEGMENT_BITS = 4;
const SEGMENTS = 1 << SEGMENT_BITS;
const SEGMENT_MASK = SEGMENTS - 1;

/**
 * Finds ids by the hash of what they stand for, and by a tag of 6 bits: open addressing, with hash, tag and id side
 * by side. A lookup that fails touches one cache line and no key, and where hash and tag say everything about
 * the key (IPv4 prefixes), so does one that succeeds.
 *
 * The upper four bits of a hash choose one of sixteen tables that grow by themselves: no insertion is long, because
 * none moves more than a sixteenth of what is there. docs/decisions/0025 has the figures.
 */
export class HashIndex {
  readonly #segments = Array.from({ length: SEGMENTS }, () => new Segment());

  /**
   * The place of the first id that was inserted with `hash` and `tag`; -1 if there is none. Where these may be
   * shared, the caller compares what the ids stand for, and asks for the {@link following} one.
   */
  first(hash: number, tag: number): number {
    const at = hash >>> (32 - SEGMENT_BITS);
    const segment = this.#segments[at] as Segment;
    return placeOf(segment.probe(segment.home(hash), hash, tag), at);
  }

  /** Fetches the memory where `hash` belongs. @returns Something, so that it cannot be left out. */
  touch(hash: number): number {
    return (this.#segments[hash >>> (32 - SEGMENT_BITS)] as Segment).touch(hash);
  }

  following(place: number, hash: number, tag: number): number {
    const at = place & SEGMENT_MASK;
    return placeOf(
      (this.#segments[at] as Segment).following(place >>> SEGMENT_BITS, hash, tag),
      at,
    );
  }

  idAt(place: number): number {
    return (this.#segments[place & SEGMENT_MASK] as Segment).idAt(place >>> SEGMENT_BITS);
  }

  /**
   * @param id From 1 on.
   * @param hash A 32-bit integer.
   * @param tag 0..63.
   * @throws {RangeError} If `id` has more than 26 bits.
   */
  insert(id: number, hash: number, tag: number): void {
    if (id > ID_MASK) throw new RangeError(`${id} ids are more than an index can hold`);
    (this.#segments[hash >>> (32 - SEGMENT_BITS)] as Segment).insert(id, hash, tag);
  }

  remove(id: number, hash: number, tag: number): void {
    (this.#segments[hash >>> (32 - SEGMENT_BITS)] as Segment).remove(id, hash, tag);
  }
}

/** A slot and its segment in one number; -1 for no slot. */
function placeOf(slot: number, segment: number): number {
  return slot < 0 ? -1 : (slot << SEGMENT_BITS) | segment;
}

/**
 * The ids of one sixteenth of all hashes.
 *
 *   +-----------+---------+---------+
 *   | Hash (32) | Tag (6) | Id (26) |   one slot
 *   +-----------+---------+---------+
 *
 * A hash's place is its share of the range, not its remainder: the table is almost sorted by hash and may have any
 * size, so growing it by half copies from front to back, in sequential memory.
 */
class Segment {
  /** Two words per slot; a free one has id 0. */
  #slots = new Int32Array(2 * INITIAL_SLOTS);
  #capacity = INITIAL_SLOTS;
  #count = 0;

  home(hash: number): number {
    return (((hash & (TWO_TO_THE_28 - 1)) / TWO_TO_THE_28) * this.#capacity) | 0;
  }

  touch(hash: number): number {
    return this.#slots[2 * this.home(hash)] ?? 0;
  }

  probe(start: number, hash: number, tag: number): number {
    const slots = this.#slots;
    let slot = start;
    for (;;) {
      const word = slots[2 * slot + 1] ?? 0;
      if (word === 0) return -1;
      if (slots[2 * slot] === hash && word >>> ID_BITS === tag) return slot;
      slot += 1;
      if (slot === this.#capacity) slot = 0;
    }
  }

  following(slot: number, hash: number, tag: number): number {
    return this.probe(slot + 1 === this.#capacity ? 0 : slot + 1, hash, tag);
  }

  idAt(slot: number): number {
    return (this.#slots[2 * slot + 1] ?? 0) & ID_MASK;
  }

  insert(id: number, hash: number, tag: number): void {
    if (this.#count >= this.#capacity * MAX_LOAD) this.#grow();
    this.#put(hash, (tag << ID_BITS) | id);
    this.#count += 1;
  }

  remove(id: number, hash: number, tag: number): void {
    let slot = this.probe(this.home(hash), hash, tag);
    while (this.idAt(slot) !== id) slot = this.following(slot, hash, tag);
    this.#count -= 1;
    this.#close(slot);
  }

  #put(hash: number, word: number): void {
    const slots = this.#slots;
    let slot = this.home(hash);
    while (slots[2 * slot + 1] !== 0) {
      slot += 1;
      if (slot === this.#capacity) slot = 0;
    }
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = word;
  }

  #grow(): void {
    const before = this.#slots;
    this.#capacity = Math.ceil(this.#capacity * GROWTH);
    this.#slots = new Int32Array(2 * this.#capacity);
    for (let at = 0; at < before.length; at += 2) {
      const word = before[at + 1] ?? 0;
      if (word !== 0) this.#put(before[at] ?? 0, word);
    }
    grown(before, 0);
  }

  /** Frees a slot and moves what was pushed behind it forward, so that no lookup ends at the gap. */
  #close(freed: number): void {
    const slots = this.#slots;
    let gap = freed;
    let slot = freed;
    for (;;) {
      slot += 1;
      if (slot === this.#capacity) slot = 0;
      const word = slots[2 * slot + 1] ?? 0;
      if (word === 0) break;
      const hash = slots[2 * slot] ?? 0;
      if (this.#distance(this.home(hash), slot) < this.#distance(gap, slot)) continue;
      slots[2 * gap] = hash;
      slots[2 * gap + 1] = word;
      gap = slot;
    }
    slots[2 * gap] = 0;
    slots[2 * gap + 1] = 0;
  }

  /** Slots from one to another, going up and around. */
  #distance(from: number, to: number): number {
    return to >= from ? to - from : to - from + this.#capacity;
  }
}
