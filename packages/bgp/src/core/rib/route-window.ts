import { type Family, type Prefix, prefixFromBytes } from '@overland/net';
import type { PrefixTable } from './prefix-table.ts';

/**
 * Prefixes kept: pages of a listing that go without a search. Twice as many are sorted at a time, which takes some
 * milliseconds for either family.
 */
const CAPACITY = { ipv4: 8192, ipv6: 2048 } as const satisfies Record<Family, number>;
/** Twice the capacity of IPv4. */
const INDEX_BITS = 2 ** 14;
const LENGTH_BITS = 2 ** 6;

/**
 * The lowest prefixes of those that were offered, in order. The table changes between pages, and an id may come to
 * mean another prefix: a prefix is known by its words, and one that is gone is passed over.
 */
export class RouteWindow {
  readonly #prefixes: PrefixTable;
  /** Words of an address. */
  readonly #words: number;
  readonly #capacity: number;
  #ids: number[] = [];
  /** Of each id, the words of the address and the length; empty until it is closed. */
  #keys = new Int32Array(0);
  #next = 0;
  /** Nothing higher than this gets in: there was more than there is room for. */
  #bound: Int32Array | undefined;

  constructor(prefixes: PrefixTable) {
    this.#prefixes = prefixes;
    this.#words = prefixes.family === 'ipv4' ? 1 : 4;
    this.#capacity = CAPACITY[prefixes.family];
  }

  /** Whether nothing is left, here or beyond. */
  get isExhausted(): boolean {
    return this.#bound === undefined && this.#next >= this.#ids.length;
  }

  /** Whether a page can be had without another search. */
  holds(limit: number): boolean {
    return this.#bound === undefined || this.#ids.length - this.#next >= limit;
  }

  /** Whether there is room for a prefix. */
  admits(id: number): boolean {
    return this.#bound === undefined || this.#compareToBound(id, this.#bound) <= 0;
  }

  /** @param id Admitted. @returns Whether that was work: some milliseconds. */
  offer(id: number): boolean {
    this.#ids.push(id);
    if (this.#ids.length < 2 * this.#capacity) return false;
    this.#cut();
    return true;
  }

  /** Everything has been offered. @param isStill Whether a prefix is still to be offered. */
  close(isStill: (id: number) => boolean): void {
    if (this.#ids.length > this.#capacity) this.#cut();
    this.#ids = this.#ids.filter((id) => this.admits(id) && isStill(id));
    this.#sort();
    this.#keys = new Int32Array(this.#ids.length * (this.#words + 1));
    for (const [index, id] of this.#ids.entries()) this.#keys.set(this.#keyOf(id), this.#at(index));
  }

  /** The next prefixes that are still what they were. */
  take(limit: number, isWanted: (id: number) => boolean): number[] {
    const taken: number[] = [];
    for (; this.#next < this.#ids.length && taken.length < limit; this.#next += 1) {
      const id = this.#ids[this.#next] ?? 0;
      const from = this.#at(this.#next);
      const isSame = this.#keyOf(id).every((word, i) => word === this.#keys[from + i]);
      if (isSame && isWanted(id)) taken.push(id);
    }
    return taken;
  }

  /** The last prefix that was passed, taken or not; `undefined`: none, because all have gone meanwhile. */
  get last(): Prefix | undefined {
    if (this.#next > 0) return this.#prefixOf(this.#keys, this.#at(this.#next - 1));
    return this.#bound && this.#prefixOf(this.#bound, 0);
  }

  #at(index: number): number {
    return index * (this.#words + 1);
  }

  #keyOf(id: number): Int32Array {
    const key = new Int32Array(this.#words + 1);
    for (let i = 0; i < this.#words; i += 1) key[i] = this.#prefixes.word(id, i);
    key[this.#words] = this.#prefixes.length(id);
    return key;
  }

  #prefixOf(keys: Int32Array, from: number): Prefix {
    const view = new DataView(new ArrayBuffer(4 * this.#words));
    for (let i = 0; i < this.#words; i += 1) view.setInt32(4 * i, keys[from + i] ?? 0);
    return prefixFromBytes(new Uint8Array(view.buffer), keys[from + this.#words] ?? 0);
  }

  #compareToBound(id: number, bound: Int32Array): number {
    for (let i = 0; i < this.#words; i += 1) {
      const difference = (this.#prefixes.word(id, i) >>> 0) - ((bound[i] ?? 0) >>> 0);
      if (difference !== 0) return difference;
    }
    return this.#prefixes.length(id) - (bound[this.#words] ?? 0);
  }

  #sort(): void {
    if (this.#words === 1) this.#ids = this.#sortedByNumber(this.#ids);
    else this.#ids.sort((a, b) => this.#prefixes.compare(a, b));
  }

  /** An IPv4 prefix and where its id stands are one number of 53 bits: sorting numbers takes a fraction of the time. */
  #sortedByNumber(ids: readonly number[]): number[] {
    const keys = new Float64Array(ids.length);
    for (const [index, id] of ids.entries()) {
      const address = this.#prefixes.word(id, 0) >>> 0;
      keys[index] = (address * LENGTH_BITS + this.#prefixes.length(id)) * INDEX_BITS + index;
    }
    return Array.from(keys.sort(), (key) => ids[key % INDEX_BITS] ?? 0);
  }

  #cut(): void {
    this.#sort();
    this.#ids.length = this.#capacity;
    this.#bound = this.#keyOf(this.#ids[this.#capacity - 1] ?? 0);
  }
}
