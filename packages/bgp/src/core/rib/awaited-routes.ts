import { IdSet } from './memory/id-set.ts';

/** Batches that nobody has answered for are few: see `RoutePump`. */
interface TakenBatch {
  /** Prefixes that the kernel is to have a route of, and those that it is to lose. */
  readonly routes: number[];
  readonly withdrawn: number[];
}

/**
 * Which prefixes of one family the kernel does not have yet: peers are not told of them before it has (FRR's
 * `suppress-fib-pending`; RFC 4271 section 9.1.3). A route that the kernel has and that changes is no such: until it is changed, packets
 * go the way they went.
 */
export class AwaitedRoutes {
  readonly #awaited = new IdSet();
  /** By the number of the batch. */
  readonly #taken = new Map<number, TakenBatch>();
  /** Prefixes that a batch on its way withdraws, and the last such batch: what earlier ones say counts no more. */
  readonly #withdrawnBy = new Map<number, number>();
  /** Prefixes that peers may hear of now. */
  readonly #arrived = new IdSet();

  /** Whether batches are on their way, or prefixes wait for peers to be told. */
  get isIdle(): boolean {
    return this.#taken.size === 0 && this.#arrived.size === 0;
  }

  get hasArrived(): boolean {
    return this.#arrived.size > 0;
  }

  /** Whether peers must not hear of the prefix yet. */
  has(prefix: number): boolean {
    return this.#awaited.has(prefix);
  }

  /** The kernel is to have the prefix, and has not been told. */
  add(prefix: number): void {
    this.#awaited.add(prefix);
  }

  /** The kernel is not to have it, and was never told, or is being told. */
  forget(prefix: number): void {
    this.#awaited.delete(prefix);
  }

  /** A batch is on its way. */
  taken(sequence: number, batch: TakenBatch): void {
    this.#taken.set(sequence, batch);
    for (const prefix of batch.withdrawn) {
      this.#awaited.delete(prefix);
      this.#withdrawnBy.set(prefix, sequence);
    }
  }

  /**
   * The kernel has a batch.
   *
   * @param isRefused Whether the kernel has no route of a prefix all the same.
   */
  applied(sequence: number, isRefused: (prefix: number) => boolean): void {
    const batch = this.#taken.get(sequence);
    if (!batch) return;
    this.#taken.delete(sequence);
    for (const prefix of batch.withdrawn) {
      if (this.#withdrawnBy.get(prefix) === sequence) this.#withdrawnBy.delete(prefix);
    }
    for (const prefix of batch.routes) {
      const isOutdated = (this.#withdrawnBy.get(prefix) ?? 0) > sequence;
      if (!isOutdated && !isRefused(prefix)) this.arrived(prefix);
    }
  }

  /** The kernel has the prefix, maybe late. */
  arrived(prefix: number): void {
    if (this.#awaited.delete(prefix)) this.#arrived.add(prefix);
  }

  /** The next prefix that peers may hear of; 0 if there is none. */
  next(): number {
    return this.#arrived.take();
  }
}
