import type { Records } from './records.ts';

/**
 * Circular doubly-linked lists of records, in two of their fields. Each ring is named by a sentinel, a record that
 * stands for nothing else, so that a member leaves and whole rings join without knowing where they are.
 */
export class Rings {
  readonly #records: Records;
  readonly #next: number;
  readonly #previous: number;

  /** @param fields Of the records, for the links. */
  constructor(records: Records, fields: { readonly next: number; readonly previous: number }) {
    this.#records = records;
    this.#next = fields.next;
    this.#previous = fields.previous;
  }

  /** Makes `sentinel` an empty ring. */
  create(sentinel: number): void {
    this.#link(sentinel, sentinel);
  }

  /** The first member of a ring, or its sentinel if it is empty. */
  first(sentinel: number): number {
    return this.#records.get(sentinel, this.#next);
  }

  /** The member behind `id`, or the sentinel at the end. */
  following(id: number): number {
    return this.#records.get(id, this.#next);
  }

  isEmpty(sentinel: number): boolean {
    return this.first(sentinel) === sentinel;
  }

  /** Puts `id`, which is in no ring, first. */
  add(sentinel: number, id: number): void {
    const first = this.first(sentinel);
    this.#link(id, first);
    this.#link(sentinel, id);
  }

  remove(id: number): void {
    this.#link(this.#records.get(id, this.#previous), this.#records.get(id, this.#next));
  }

  /** Moves every member of one ring to the front of another. */
  moveAll(from: number, to: number): void {
    if (this.isEmpty(from)) return;
    const first = this.first(from);
    const last = this.#records.get(from, this.#previous);
    this.#link(last, this.first(to));
    this.#link(to, first);
    this.create(from);
  }

  #link(left: number, right: number): void {
    this.#records.set(left, this.#next, right);
    this.#records.set(right, this.#previous, left);
  }
}
