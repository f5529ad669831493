/** Items behind a point. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Where to go on. */
  readonly next: number;
  /** Items that were forgotten before they were asked for. */
  readonly lost: number;
}

export interface PageQuery {
  /** Behind the item with this number; 0: all that there are. */
  readonly after: number;
  /** Longest wait for an item if there is none, milliseconds. */
  readonly waitMs: number;
}

const PAGE = 500;
/** Who would wait beyond these is answered at once. */
const MAX_WAITING = 64;

/** The last items of a stream, numbered from 1. Those who follow ask again and again, and wait where there is nothing new. */
export class PagedRing<T> implements Disposable {
  readonly #capacity: number;
  readonly #items: T[] = [];
  readonly #waiting = new Set<() => void>();
  #last = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** @param make Told the number that the item gets. */
  add(make: (number: number) => T): void {
    this.#last += 1;
    this.#items[this.#last % this.#capacity] = make(this.#last);
    this.#wake();
  }

  some(accept: (item: T) => boolean): boolean {
    return this.#items.some(accept);
  }

  async read(query: PageQuery, accept: (item: T) => boolean = () => true): Promise<Page<T>> {
    const page = this.#page(query.after, accept);
    if (page.items.length > 0 || query.waitMs === 0) return page;
    await this.#something(query.waitMs);
    return this.#page(page.next, accept);
  }

  [Symbol.dispose](): void {
    this.#wake();
  }

  #page(after: number, accept: (item: T) => boolean): Page<T> {
    // A stream that has begun anew counts from the beginning.
    const from = after > this.#last ? 0 : after;
    const oldest = Math.max(1, this.#last - this.#capacity + 1);
    const items: T[] = [];
    let number = Math.max(from + 1, oldest);
    for (; number <= this.#last && items.length < PAGE; number += 1) {
      const item = this.#items[number % this.#capacity];
      if (item !== undefined && accept(item)) items.push(item);
    }
    return { items, next: number - 1, lost: from === 0 ? 0 : Math.max(0, oldest - from - 1) };
  }

  async #something(waitMs: number): Promise<void> {
    if (this.#waiting.size >= MAX_WAITING) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    this.#waiting.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(resolve);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
  }
}
