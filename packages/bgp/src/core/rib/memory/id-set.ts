import { grown } from './grown.ts';

const INITIAL_WORDS = 32;

/**
 * A set of ids that is also a fair work queue: one bit per id, and one bit per 32 of those to skip what is
 * empty. Adding twice is adding once, which is all the coalescing that the engine needs.
 *
 * A full table's worth of pending changes for one peer takes 125 kB, whatever the order they came in.
 */
export class IdSet {
  #words = new Int32Array(INITIAL_WORDS);
  /** Bit w of the summary: word w is not zero. */
  #summary = new Int32Array(INITIAL_WORDS >> 5);
  #size = 0;
  #last = 0;

  get size(): number {
    return this.#size;
  }

  has(id: number): boolean {
    // An access out of bounds would make every later one slower: V8 then compares as floating-point numbers.
    if (id >> 5 >= this.#words.length) return false;
    return ((this.#words[id >> 5] ?? 0) & (1 << (id & 31))) !== 0;
  }

  /** @returns Whether `id` was not there before. */
  add(id: number): boolean {
    const index = id >> 5;
    if (index >= this.#words.length) this.#grow(index + 1);
    const word = this.#words[index] ?? 0;
    const bit = 1 << (id & 31);
    if ((word & bit) !== 0) return false;
    this.#words[index] = word | bit;
    if (word === 0)
      this.#summary[index >> 5] = (this.#summary[index >> 5] ?? 0) | (1 << (index & 31));
    this.#size += 1;
    return true;
  }

  /** @returns Whether `id` was there. */
  delete(id: number): boolean {
    const index = id >> 5;
    if (index >= this.#words.length) return false;
    const word = this.#words[index] ?? 0;
    const bit = 1 << (id & 31);
    if ((word & bit) === 0) return false;
    this.#words[index] = word & ~bit;
    if (word === bit) {
      this.#summary[index >> 5] = (this.#summary[index >> 5] ?? 0) & ~(1 << (index & 31));
    }
    this.#size -= 1;
    return true;
  }

  /** Removes every member. */
  clear(): void {
    this.#words.fill(0);
    this.#summary.fill(0);
    this.#size = 0;
  }

  /**
   * Removes and returns the next member in ascending order behind the one taken last, then from the start
   * again: an id that comes back all the time never holds up the others. 0 if the set is empty.
   */
  take(): number {
    if (this.#size === 0) return 0;
    const id = this.#from(this.#last + 1) || this.#from(0);
    this.#last = id;
    this.delete(id);
    return id;
  }

  /** As {@link take}, up to `limit` times. @returns Ids taken, the first ones of `into`. */
  takeMany(into: Int32Array, limit: number): number {
    const count = Math.min(limit, this.#size);
    for (let i = 0; i < count; i += 1) into[i] = this.take();
    return count;
  }

  /** The lowest member from `start` on; 0 if there is none. */
  #from(start: number): number {
    let index = start >> 5;
    if (index >= this.#words.length) return 0;
    const rest = (this.#words[index] ?? 0) & (-1 << (start & 31));
    if (rest !== 0) return (index << 5) | lowestBit(rest);
    index += 1;
    if (index >= this.#words.length) return 0;
    let group = index >> 5;
    let groupWord = (this.#summary[group] ?? 0) & (-1 << (index & 31));
    while (groupWord === 0) {
      group += 1;
      if (group >= this.#summary.length) return 0;
      groupWord = this.#summary[group] ?? 0;
    }
    index = (group << 5) | lowestBit(groupWord);
    return (index << 5) | lowestBit(this.#words[index] ?? 0);
  }

  #grow(words: number): void {
    const wanted = Math.max(words, Math.ceil(this.#words.length * 1.5));
    const length = (wanted + 31) & ~31;
    this.#words = grown(this.#words, length);
    this.#summary = grown(this.#summary, length >> 5);
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
