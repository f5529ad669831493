/** How many elements are looked through one by one. */
const FEW = 8;

/** A set that is small while it has few elements: there are hundreds of thousands of them, and most have. */
export class CompactSet<T> implements Iterable<T> {
  #elements: T[] | Set<T> = [];

  get size(): number {
    return Array.isArray(this.#elements) ? this.#elements.length : this.#elements.size;
  }

  has(element: T): boolean {
    return Array.isArray(this.#elements)
      ? this.#elements.includes(element)
      : this.#elements.has(element);
  }

  add(element: T): void {
    if (!Array.isArray(this.#elements)) this.#elements.add(element);
    else if (!this.#elements.includes(element)) {
      if (this.#elements.length < FEW) this.#elements.push(element);
      else this.#elements = new Set(this.#elements).add(element);
    }
  }

  /** @returns Whether it was there. */
  delete(element: T): boolean {
    if (!Array.isArray(this.#elements)) return this.#elements.delete(element);
    const at = this.#elements.indexOf(element);
    if (at < 0) return false;
    this.#elements.splice(at, 1);
    return true;
  }

  /** Nothing may be added or deleted meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return this.#elements[Symbol.iterator]();
  }
}
