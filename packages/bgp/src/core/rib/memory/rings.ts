import { Int32Column } from './column.ts';

/**
 * Circular doubly-linked lists of ids in two columns. Each ring is named by a sentinel, an id that stands for
 * nothing else, so that a member leaves and whole rings join without knowing where they are.
 */
export class Rings {
  readonly #next = new Int32Column();
  readonly #previous = new Int32Column();

  /** Makes `sentinel` an empty ring. */
  create(sentinel: number): void {
    this.#next.set(sentinel, sentinel);
    this.#previous.set(sentinel, sentinel);
  }

  /** The first member of a ring, or its sentinel if it is empty. */
  first(sentinel: number): number {
    return this.#next.get(sentinel);
  }

  /** The member behind `id`, or the sentinel at the end. */
  following(id: number): number {
    return this.#next.get(id);
  }

  isEmpty(sentinel: number): boolean {
    return this.#next.get(sentinel) === sentinel;
  }

  /** Puts `id`, which is in no ring, first. */
  add(sentinel: number, id: number): void {
    const first = this.#next.get(sentinel);
    this.#link(id, first);
    this.#link(sentinel, id);
  }

  remove(id: number): void {
    this.#link(this.#previous.get(id), this.#next.get(id));
  }

  /** Moves every member of one ring to the front of another. */
  moveAll(from: number, to: number): void {
    if (this.isEmpty(from)) return;
    const first = this.#next.get(from);
    const last = this.#previous.get(from);
    this.#link(last, this.#next.get(to));
    this.#link(to, first);
    this.create(from);
  }

  #link(left: number, right: number): void {
    this.#next.set(left, right);
    this.#previous.set(right, left);
  }
}
