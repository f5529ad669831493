import { IdSet } from './memory/id-set.ts';

/** What an Adj-RIB-Out has of a peer, by prefix or by path. */
interface SendSets {
  /** To be announced. */
  readonly announce: IdSet;
  /** What the peer has. */
  readonly advertised: IdSet;
  /** What it has and is to be told otherwise; absent: that is in none of the sets. */
  readonly withdraw?: IdSet;
}

/**
 * Keeps what a peer has from us within a number. What is above it is held back, and follows when there is room; what is
 * announced already is not exchanged for something else.
 */
export class SendLimit {
  readonly most: number;
  readonly #sets: SendSets;
  readonly #held = new IdSet();
  /** Members of `announce` that the peer does not have. */
  #fresh = 0;

  constructor(most: number, sets: SendSets) {
    this.most = most;
    this.#sets = sets;
  }

  /** How many are held back. */
  get held(): number {
    return this.#held.size;
  }

  holds(id: number): boolean {
    return this.#held.has(id);
  }

  /** Whether a member may be announced, or stay so; what may not is held back. */
  admits(id: number): boolean {
    const { announce, advertised, withdraw } = this.#sets;
    const isCounted = announce.has(id) || (advertised.has(id) && !(withdraw?.has(id) ?? false));
    const isAbove = isCounted ? this.#count > this.most : this.#count >= this.most;
    if (isAbove) this.#held.add(id);
    else this.#held.delete(id);
    return !isAbove;
  }

  /** Whoever is held back is not to be announced any more. */
  forget(id: number): void {
    this.#held.delete(id);
  }

  /** A member has come into `announce`. */
  added(id: number): void {
    if (!this.#sets.advertised.has(id)) this.#fresh += 1;
  }

  /** A member has been taken out of `announce`, and not sent. */
  removed(id: number): void {
    if (!this.#sets.advertised.has(id)) this.#fresh -= 1;
  }

  /** A member of `announce` has been sent that the peer did not have. */
  sent(): void {
    this.#fresh -= 1;
  }

  /** `announce` has been emptied, and everything will be looked at again. */
  clear(): void {
    this.#held.clear();
    this.#fresh = 0;
  }

  /** One that was held back and for which there is room; 0 if there is none. */
  next(): number {
    return this.#held.size > 0 && this.#count < this.most ? this.#held.take() : 0;
  }

  /** What the peer will have when everything that is pending has been sent. */
  get #count(): number {
    const { advertised, withdraw } = this.#sets;
    return advertised.size - (withdraw?.size ?? 0) + this.#fresh;
  }
}
