import { grown } from './grown.ts';

const INITIAL_LENGTH = 256;

/**
 * Room for at least `length` values. At most 1.5 times what there was: doubling would leave up to half of a
 * full table's memory unused.
 */
function grownLength(current: number, length: number): number {
  return Math.max(INITIAL_LENGTH, length, Math.ceil(current * 1.5));
}

/** One 32-bit integer per id, in one typed array that grows. What was never written reads as 0. */
export class Int32Column {
  #values = new Int32Array(0);

  get(id: number): number {
    return this.#values[id] ?? 0;
  }

  set(id: number, value: number): void {
    if (id >= this.#values.length) this.#grow(id + 1);
    this.#values[id] = value;
  }

  /** Every value is 0 again. */
  clear(): void {
    this.#values = new Int32Array(0);
  }

  #grow(length: number): void {
    this.#values = grown(this.#values, grownLength(this.#values.length, length));
  }
}
