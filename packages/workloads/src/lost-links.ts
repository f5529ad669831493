/** Which links are lost: those that were missing at two looks in a row, for one that is missing may be about to be made again. */
export class LostLinks {
  #missing: ReadonlySet<string> = new Set();

  /** @param missing What a look did not find. @returns What the look before did not find either. */
  look(missing: readonly string[]): string[] {
    const lost = missing.filter((hostInterface) => this.#missing.has(hostInterface));
    this.#missing = new Set(missing);
    return lost;
  }
}
