import { Int32Column } from './column.ts';

const INITIAL_BUCKETS = 64;

/**
 * Finds ids by the hash of what they stand for: chains of ids through one column. The caller walks a chain
 * with {@link first} and {@link following} and compares.
 *
 * Grows one bucket at a time (linear hashing, Litwin 1980), so that no insertion ever stops to rehash a
 * million entries. Why not open addressing: docs/decisions/0025.
 */
export class HashIndex {
  readonly #hashOf: (id: number) => number;
  #buckets = new Int32Array(INITIAL_BUCKETS);
  readonly #next = new Int32Column();
  #count = 0;
  /** Buckets below #split were split by one hash bit more than #mask has. */
  #mask = INITIAL_BUCKETS - 1;
  #split = 0;

  /** @param hashOf The hash that `id` was inserted with. */
  constructor(hashOf: (id: number) => number) {
    this.#hashOf = hashOf;
  }

  /** The first id that may have this hash; 0 if there is none. */
  first(hash: number): number {
    return this.#buckets[this.#bucketOf(hash)] ?? 0;
  }

  /** The next id of the chain; 0 at its end. */
  following(id: number): number {
    return this.#next.get(id);
  }

  insert(id: number, hash: number): void {
    const bucket = this.#bucketOf(hash);
    this.#next.set(id, this.#buckets[bucket] ?? 0);
    this.#buckets[bucket] = id;
    this.#count += 1;
    if (this.#count > this.#mask + this.#split) this.#splitOne();
  }

  remove(id: number, hash: number): void {
    const bucket = this.#bucketOf(hash);
    const after = this.#next.get(id);
    let at = this.#buckets[bucket] ?? 0;
    if (at === id) this.#buckets[bucket] = after;
    else {
      let following = this.#next.get(at);
      while (following !== id) {
        at = following;
        following = this.#next.get(at);
      }
      this.#next.set(at, after);
    }
    this.#count -= 1;
  }

  #bucketOf(hash: number): number {
    const bucket = hash & this.#mask;
    return bucket < this.#split ? hash & (this.#mask * 2 + 1) : bucket;
  }

  /** Moves the half of one chain whose next hash bit is set into a new bucket at the end. */
  #splitOne(): void {
    const low = this.#split;
    const high = this.#mask + 1 + low;
    if (high >= this.#buckets.length) {
      const grown = new Int32Array(Math.ceil(this.#buckets.length * 1.5));
      grown.set(this.#buckets);
      this.#buckets = grown;
    }
    const bit = this.#mask + 1;
    let id = this.#buckets[low] ?? 0;
    let [lowChain, highChain] = [0, 0];
    while (id !== 0) {
      const following = this.#next.get(id);
      if ((this.#hashOf(id) & bit) === 0) {
        this.#next.set(id, lowChain);
        lowChain = id;
      } else {
        this.#next.set(id, highChain);
        highChain = id;
      }
      id = following;
    }
    this.#buckets[low] = lowChain;
    this.#buckets[high] = highChain;
    this.#split += 1;
    if (this.#split > this.#mask) {
      this.#mask = this.#mask * 2 + 1;
      this.#split = 0;
    }
  }
}
