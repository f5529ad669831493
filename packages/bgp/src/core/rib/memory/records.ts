import { grown } from './grown.ts';

const GROWTH = 1.5;

/**
 * Records of a few 32-bit integers each, by id, in one typed array: a record is one cache line or less, where a
 * column per field would cost a miss per field when routes change in no particular order.
 *
 * Grows by half: doubling would leave up to half of a full table's memory unused.
 */
export class Records {
  readonly #fields: number;
  #values: Int32Array<ArrayBuffer>;

  /**
   * @param fields Integers per record.
   * @param initial Records to begin with. Tables with the same ids take different ones: with a full table each growth
   *   takes milliseconds, and they must not come in one task.
   */
  constructor(fields: number, initial = 64) {
    this.#fields = fields;
    this.#values = new Int32Array(fields * initial);
  }

  /** Makes room for record `id`. What was never written is 0. */
  ensure(id: number): void {
    const needed = (id + 1) * this.#fields;
    if (needed <= this.#values.length) return;
    const length = Math.max(needed, Math.ceil(this.#values.length * GROWTH));
    this.#values = grown(this.#values, length);
  }

  /**
   * A field. The record must have been {@link ensure}d: one read out of bounds makes all later ones slower, in
   * every table, because V8 then compares indices as floating-point numbers.
   */
  get(id: number, field: number): number {
    return this.#values[Math.imul(id, this.#fields) + field] ?? 0;
  }

  /** The record must have been {@link ensure}d. */
  set(id: number, field: number, value: number): void {
    this.#values[Math.imul(id, this.#fields) + field] = value;
  }
}
