/** Path identifiers by path: RFC 7911. Takes no memory before there is one that is not 0. */
export class PathIdentifiers {
  #values = new Int32Array(0);

  /** Whether there has been an identifier that is not 0. */
  get isUsed(): boolean {
    return this.#values.length > 0;
  }

  /** 0 for paths that were never given one. */
  get(path: number): number {
    // An access out of bounds would make every later one slower: V8 then compares as floating-point numbers.
    return path < this.#values.length ? (this.#values[path] ?? 0) : 0;
  }

  set(path: number, identifier: number): void {
    if (path >= this.#values.length) {
      if (identifier === 0) return;
      const grown = new Int32Array(Math.max(64, path + 1, Math.ceil(this.#values.length * 1.5)));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[path] = identifier;
  }
}
