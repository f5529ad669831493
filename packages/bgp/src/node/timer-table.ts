interface Entry {
  readonly milliseconds: number;
  dueMs: number;
  cancel: () => void;
}

/** How long a timer that may not fire yet waits before it asks again, milliseconds. */
const POSTPONED_MS = 20;

/**
 * Named timers. Restarting one only moves its due time, because a hold timer is restarted by every message;
 * an early wake-up sleeps on. Before a timer fires the event loop polls its sockets once more: when this thread
 * was busy or stopped, what should have restarted the timer may be waiting there.
 */
export class TimerTable<K extends string> {
  readonly #entries = new Map<K, Entry>();
  readonly #mayFire: (key: K) => boolean;
  readonly #fire: (key: K) => void;
  /** The timer whose `fire` runs now. */
  #firing: { readonly key: K; readonly milliseconds: number } | undefined;

  /**
   * @param mayFire Asked when the timer is due; while it says no, the timer waits.
   * @param fire Called once per armed timer, which is then no longer armed.
   */
  constructor(mayFire: (key: K) => boolean, fire: (key: K) => void) {
    this.#mayFire = mayFire;
    this.#fire = fire;
  }

  arm(key: K, seconds: number): void {
    this.disarm(key);
    const milliseconds = seconds * 1000;
    const entry: Entry = {
      milliseconds,
      dueMs: performance.now() + milliseconds,
      cancel: () => undefined,
    };
    this.#entries.set(key, entry);
    this.#sleep(key, entry, milliseconds);
  }

  /** Runs the timer anew for as long as it was armed for, also while it fires; nothing if it is not armed. */
  restart(key: K): void {
    const entry = this.#entries.get(key);
    if (entry) entry.dueMs = performance.now() + entry.milliseconds;
    else if (this.#firing?.key === key) this.arm(key, this.#firing.milliseconds / 1000);
  }

  disarm(key: K): void {
    this.#entries.get(key)?.cancel();
    this.#entries.delete(key);
  }

  /** Disarms every timer for which `predicate` holds. */
  disarmWhere(predicate: (key: K) => boolean): void {
    for (const key of this.#entries.keys()) if (predicate(key)) this.disarm(key);
  }

  #sleep(key: K, entry: Entry, milliseconds: number): void {
    const timer = setTimeout(() => this.#pollFirst(key, entry), Math.ceil(milliseconds));
    entry.cancel = () => clearTimeout(timer);
  }

  #pollFirst(key: K, entry: Entry): void {
    const immediate = setImmediate(() => this.#wake(key, entry));
    entry.cancel = () => clearImmediate(immediate);
  }

  #wake(key: K, entry: Entry): void {
    const leftMs = entry.dueMs - performance.now();
    if (leftMs > 0) this.#sleep(key, entry, leftMs);
    else if (!this.#mayFire(key)) this.#sleep(key, entry, POSTPONED_MS);
    else {
      this.#entries.delete(key);
      this.#firing = { key, milliseconds: entry.milliseconds };
      this.#fire(key);
      this.#firing = undefined;
    }
  }
}
