import { grown } from './grown.ts';

/** Hands out ids from 1 upwards and reuses those given back. 0 is never an id: it stands for "none". */
export class Ids {
  #highest = 0;
  #freed = new Int32Array(0);
  #freedCount = 0;

  /** The highest id handed out so far: a bound for loops over all ids. */
  get highest(): number {
    return this.#highest;
  }

  /** Ids in use. */
  get used(): number {
    return this.#highest - this.#freedCount;
  }

  take(): number {
    if (this.#freedCount === 0) {
      this.#highest += 1;
      return this.#highest;
    }
    this.#freedCount -= 1;
    return this.#freed[this.#freedCount] ?? 0;
  }

  giveBack(id: number): void {
    if (this.#freedCount === this.#freed.length) {
      this.#freed = grown(this.#freed, Math.max(64, Math.ceil(this.#freed.length * 1.5)));
    }
    this.#freed[this.#freedCount] = id;
    this.#freedCount += 1;
  }
}
