/** Events that may wait before the source is asked to pause; the kernel's buffer holds many more. */
const ROOM = 4096;

/** Hands events from a callback to one `for await` loop. Single consumer; ends when the signal aborts. */
export class EventQueue<T> implements AsyncIterableIterator<T, undefined> {
  #waiting: T[] = [];
  #next = 0;
  #taker: PromiseWithResolvers<IteratorResult<T, undefined>> | undefined;
  #failure: { readonly reason: unknown } | undefined;
  readonly #stop = new AbortController();
  /** Called when there is room again after {@link hasRoom} was false. */
  onRoom: (() => void) | undefined;
  /** Aborted once the loop is left or `signal` aborts: the source can stop. */
  readonly ended: AbortSignal;

  constructor(signal: AbortSignal) {
    this.ended = AbortSignal.any([signal, this.#stop.signal]);
    this.ended.addEventListener('abort', () => this.#clear(), { once: true });
  }

  /** Whether the source should go on. */
  get hasRoom(): boolean {
    return this.#waiting.length - this.#next < ROOM;
  }

  push(event: T): void {
    if (this.ended.aborted) return;
    if (this.#taker === undefined) {
      this.#waiting.push(event);
    } else {
      this.#taker.resolve({ done: false, value: event });
      this.#taker = undefined;
    }
  }

  /** Makes the loop throw `reason` after the events that wait. */
  fail(reason: unknown): void {
    this.#failure = { reason };
    this.#taker?.reject(reason);
    this.#taker = undefined;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.ended.aborted) return { done: true, value: undefined };
    if (this.#next < this.#waiting.length) return { done: false, value: this.#take() };
    if (this.#failure !== undefined) throw this.#failure.reason;
    this.#taker = Promise.withResolvers();
    return this.#taker.promise;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#stop.abort();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): T {
    const event = this.#waiting[this.#next++] as T;
    if (this.#next === this.#waiting.length) {
      const wasFull = this.#next >= ROOM;
      this.#waiting = [];
      this.#next = 0;
      if (wasFull) this.onRoom?.();
    }
    return event;
  }

  #clear(): void {
    this.#waiting = [];
    this.#next = 0;
    this.#taker?.resolve({ done: true, value: undefined });
    this.#taker = undefined;
  }
}
