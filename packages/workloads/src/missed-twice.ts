/** What was missing at two looks in a row: what one look misses may be about to be made, or made again. */
export class MissedTwice {
  #before: ReadonlySet<string> = new Set();
  #now = new Set<string>();

  /** Says that the look that goes on does not find something. @returns Whether the look before did not find it either. */
  miss(key: string): boolean {
    this.#now.add(key);
    return this.#before.has(key);
  }

  /** The look has come to its end. */
  ended(): void {
    this.#before = this.#now;
    this.#now = new Set();
  }

  /** The look could not be finished: the next one is the first again. */
  failed(): void {
    this.#before = new Set();
    this.#now = new Set();
  }
}
