import { Int32Column } from './memory/column.ts';

/** Of messages that are kept: some thousand usual ones, more than peers of one turn are apart. */
const MOST_OCTETS = 512 * 1024;
const FIRST_OCTETS = 8 * 1024;

/** A message that was packed for somebody. */
export interface PackedMessage {
  readonly message: Uint8Array;
  /** Group of its prefixes. */
  readonly group: number;
  /** Where in the message the next hop is, and its length: the only thing that peers of one class do not have in common. */
  readonly nextHopAt: number;
  readonly nextHopOctets: number;
}

/**
 * What was last packed for a peer of an egress class, for the others of the class, which are sent the same: they copy
 * it and put their next hop in, where each would encode attributes and look for prefixes that go together.
 *
 * Messages say what was best when they were packed: any change of the routes empties the log.
 */
export class MessageLog {
  /** Another one each time the log is emptied: places in it mean something else then. */
  generation = 0;
  /** Messages in the log. */
  count = 0;
  #epoch = 0;
  #user: object | undefined;
  #isShared = false;
  #bytes = new Uint8Array(0);
  #used = 0;
  /** By message: where it ends, where its prefixes end, and the rest of {@link PackedMessage}. */
  readonly #ends = new Int32Column();
  readonly #prefixEnds = new Int32Column();
  readonly #groups = new Int32Column();
  readonly #nextHopAt = new Int32Column();
  readonly #nextHopOctets = new Int32Column();
  readonly #prefixes = new Int32Column();
  #prefixCount = 0;

  /** Whether somebody else than `user` has asked, too: before, nothing is kept. */
  isSharedWith(user: object): boolean {
    this.#isShared ||= this.#user !== undefined && this.#user !== user;
    this.#user = user;
    return this.#isShared;
  }

  /** @param epoch Of the tables: what was packed in another one is forgotten. */
  enter(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#clear();
  }

  /** A prefix of the message that is being packed. */
  add(prefix: number): void {
    this.#prefixes.set(this.#prefixCount, prefix);
    this.#prefixCount += 1;
  }

  /** The message is packed, with the prefixes that were {@link add}ed since the last one. */
  append({ message, group, nextHopAt, nextHopOctets }: PackedMessage): void {
    const octets = message.length;
    if (this.#used + octets > MOST_OCTETS) {
      this.#clear();
      return;
    }
    if (this.#used + octets > this.#bytes.length) this.#grow(this.#used + octets);
    for (let i = 0; i < octets; i += 1) this.#bytes[this.#used + i] = message[i] ?? 0;
    this.#used += octets;
    this.#ends.set(this.count, this.#used);
    this.#prefixEnds.set(this.count, this.#prefixCount);
    this.#groups.set(this.count, group);
    this.#nextHopAt.set(this.count, nextHopAt);
    this.#nextHopOctets.set(this.count, nextHopOctets);
    this.count += 1;
  }

  group(message: number): number {
    return this.#groups.get(message);
  }

  nextHopOctets(message: number): number {
    return this.#nextHopOctets.get(message);
  }

  /** Places of the prefixes of a message, for {@link prefixAt}: from this one … */
  firstPrefix(message: number): number {
    return message === 0 ? 0 : this.#prefixEnds.get(message - 1);
  }

  /** … up to before this one. */
  endOfPrefixes(message: number): number {
    return this.#prefixEnds.get(message);
  }

  prefixAt(place: number): number {
    return this.#prefixes.get(place);
  }

  /** Copies a message, with another next hop of the same length. @returns Its octets. */
  copy(message: number, nextHop: Uint8Array, target: Uint8Array, offset: number): number {
    const from = message === 0 ? 0 : this.#ends.get(message - 1);
    const octets = this.#ends.get(message) - from;
    for (let i = 0; i < octets; i += 1) target[offset + i] = this.#bytes[from + i] ?? 0;
    const at = offset + this.#nextHopAt.get(message);
    for (let i = 0; i < nextHop.length; i += 1) target[at + i] = nextHop[i] ?? 0;
    return octets;
  }

  #clear(): void {
    this.generation += 1;
    this.count = 0;
    this.#used = 0;
    this.#prefixCount = 0;
  }

  #grow(octets: number): void {
    const larger = new Uint8Array(Math.max(FIRST_OCTETS, octets, this.#bytes.length * 1.5));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
