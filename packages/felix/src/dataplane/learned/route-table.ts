import type { Prefix } from '@overland/net';
import { DISCARD } from './next-hop-sets.ts';

/** {@link LearnedRouteTable.actual} of a route that is there, but not as we would write it. */
export const ALTERED = 0xffff_ffff;

const FIRST_CAPACITY = 64;
const DIRTY = 1;
/** The speaker took it back in so many words: it need not wait for End-of-RIB. */
const WITHDRAWN = 2;
const SEEN = 4;

/**
 * The learned routes of one family, wanted and found, as numbers in typed arrays: a prefix has a slot, a
 * slot has the next-hop set that the speaker wants (0: none) and the next-hop object that the kernel's route
 * uses (0: no route). Slots to look at wait in a queue, each at most once.
 */
export class LearnedRouteTable {
  readonly #slots = new Map<Prefix, number>();
  readonly #prefixes: (Prefix | undefined)[] = [];
  readonly #free: number[] = [];
  #desired = new Uint32Array(FIRST_CAPACITY);
  #actual = new Uint32Array(FIRST_CAPACITY);
  #flags = new Uint8Array(FIRST_CAPACITY);
  #queue: number[] = [];
  #head = 0;
  #taken = 0;

  /** Prefixes that are wanted or in the kernel. */
  get size(): number {
    return this.#slots.size;
  }

  /** Slots waiting. */
  get pending(): number {
    return this.#queue.length - this.#head;
  }

  /** Slots ever queued; all up to here are looked at once {@link taken} has reached it. */
  get queued(): number {
    return this.#taken + this.pending;
  }

  /** Slots ever taken from the queue. */
  get taken(): number {
    return this.#taken;
  }

  prefixOf(slot: number): Prefix | undefined {
    return this.#prefixes[slot];
  }

  /** The slot of a prefix that is wanted or in the kernel. */
  slotOf(prefix: Prefix): number | undefined {
    return this.#slots.get(prefix);
  }

  desired(slot: number): number {
    return this.#desired[slot] ?? 0;
  }

  actual(slot: number): number {
    return this.#actual[slot] ?? 0;
  }

  isWithdrawn(slot: number): boolean {
    return this.#has(slot, WITHDRAWN);
  }

  /**
   * Wants `prefix` through a set, or not at all (0), and queues it.
   *
   * @returns The set it was wanted through before.
   */
  want(prefix: Prefix, set: number): number {
    const slot = this.#slots.get(prefix) ?? (set === 0 ? undefined : this.#add(prefix));
    if (slot === undefined) return 0;
    const before = this.desired(slot);
    this.#desired[slot] = set;
    if (set === 0) this.#raise(slot, WITHDRAWN);
    else this.#clear(slot, WITHDRAWN);
    this.touch(slot);
    return before;
  }

  /** Notes what the kernel holds for `prefix` now; 0: nothing. Queues nothing. */
  found(prefix: Prefix, nextHopObject: number): number | undefined {
    const slot = this.#slots.get(prefix) ?? (nextHopObject ? this.#add(prefix) : undefined);
    if (slot === undefined) return undefined;
    this.#actual[slot] = nextHopObject;
    this.#raise(slot, SEEN);
    return slot;
  }

  /** Notes that the kernel's route of `slot` is as we wrote it. */
  wrote(slot: number, nextHopObject: number): void {
    this.#actual[slot] = nextHopObject;
  }

  /** Starts a full read-back: every {@link found} until {@link endReadBack} counts, all else is gone. */
  beginReadBack(): void {
    for (let slot = 0; slot < this.#prefixes.length; slot++) this.#clear(slot, SEEN);
  }

  endReadBack(): void {
    for (let slot = 0; slot < this.#prefixes.length; slot++) {
      if (!this.#has(slot, SEEN)) this.#actual[slot] = 0;
    }
  }

  /**
   * Notes that routes through objects that no longer exist are gone: the kernel takes them along without a
   * word.
   *
   * @returns Whether there were any.
   */
  dropMissing(present: ReadonlySet<number>): boolean {
    let dropped = false;
    for (let slot = 0; slot < this.#prefixes.length; slot++) {
      const id = this.actual(slot);
      if (id === 0 || id === ALTERED || id === DISCARD || present.has(id)) continue;
      this.#actual[slot] = 0;
      dropped = true;
    }
    return dropped;
  }

  /** Queues a slot, unless it waits already. */
  touch(slot: number): void {
    if (this.#has(slot, DIRTY)) return;
    this.#raise(slot, DIRTY);
    this.#queue.push(slot);
  }

  /** Queues every slot that `needsWork`. */
  touchWhere(needsWork: (slot: number) => boolean): void {
    for (const slot of this.slots()) if (needsWork(slot)) this.touch(slot);
  }

  /** Takes up to `limit` slots from the queue, oldest first. */
  take(limit: number): number[] {
    const slots = this.#queue.slice(this.#head, this.#head + limit);
    for (const slot of slots) this.#clear(slot, DIRTY);
    this.#head += slots.length;
    this.#taken += slots.length;
    if (this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return slots;
  }

  /** Gives the slot back, if its prefix is neither wanted nor in the kernel. */
  release(slot: number): void {
    const prefix = this.#prefixes[slot];
    if (prefix === undefined || this.desired(slot) || this.actual(slot)) return;
    if (this.#has(slot, DIRTY)) return;
    this.#slots.delete(prefix);
    this.#prefixes[slot] = undefined;
    this.#flags[slot] = 0;
    this.#free.push(slot);
  }

  *slots(): Generator<number> {
    for (let slot = 0; slot < this.#prefixes.length; slot++) {
      if (this.#prefixes[slot] !== undefined) yield slot;
    }
  }

  #add(prefix: Prefix): number {
    const slot = this.#free.pop() ?? this.#prefixes.length;
    this.#prefixes[slot] = prefix;
    if (slot >= this.#flags.length) this.#grow();
    this.#slots.set(prefix, slot);
    return slot;
  }

  #grow(): void {
    const capacity = Math.ceil(this.#flags.length * 1.5);
    const grown = <T extends Uint8Array | Uint32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#desired = grown(this.#desired, new Uint32Array(capacity));
    this.#actual = grown(this.#actual, new Uint32Array(capacity));
    this.#flags = grown(this.#flags, new Uint8Array(capacity));
  }

  #has(slot: number, flag: number): boolean {
    return ((this.#flags[slot] ?? 0) & flag) !== 0;
  }

  #raise(slot: number, flag: number): void {
    this.#flags[slot] = (this.#flags[slot] ?? 0) | flag;
  }

  #clear(slot: number, flag: number): void {
    this.#flags[slot] = (this.#flags[slot] ?? 0) & ~flag;
  }
}
