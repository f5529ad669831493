import type { Change } from './datastore.ts';

type KeyChange = Exclude<Change, { readonly type: 'synced' }>;

/**
 * Between a source of changes and the one loop that takes them. Bounded by the number of keys: a change to a
 * key replaces one that was not taken yet.
 */
export class ChangeQueue {
  /** Until `synced` was taken, by order of the listing; from then on in commit order. */
  readonly #changes = new Map<string, KeyChange>();
  /** After how many more changes `synced` is due; `undefined` when it was taken or not pushed yet. */
  #syncedAfter: { readonly change: Change; count: number } | undefined;
  #isSynced = false;
  #end: { readonly error: unknown } | 'ended' | undefined;
  #wake: (() => void) | undefined;

  push(change: Change): void {
    if (change.type === 'synced') {
      this.#syncedAfter = { change, count: this.#changes.size };
    } else {
      const key = change.type === 'put' ? change.entry.key : change.key;
      // Before `synced` in place: what exists must not be reported only after it.
      if (this.#isSynced) this.#changes.delete(key);
      this.#changes.set(key, change);
    }
    this.#wake?.();
  }

  /** Ends the iteration after what is queued; with an error, it throws that. */
  end(error?: unknown): void {
    this.#end ??= error === undefined ? 'ended' : { error };
    this.#wake?.();
  }

  /** Takes changes until `signal` aborts or the queue ends. For one consumer. */
  async *drain(signal: AbortSignal): AsyncGenerator<Change, void> {
    const wake = (): void => this.#wake?.();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        const change = this.#take();
        if (change) yield change;
        else if (this.#end === 'ended') return;
        else if (this.#end) throw this.#end.error;
        else await this.#sleep(signal);
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  #take(): Change | undefined {
    if (this.#syncedAfter?.count === 0) {
      const { change } = this.#syncedAfter;
      this.#syncedAfter = undefined;
      this.#isSynced = true;
      return change;
    }
    const next = this.#changes.entries().next();
    if (next.done) return undefined;
    const [key, change] = next.value;
    this.#changes.delete(key);
    if (this.#syncedAfter) this.#syncedAfter.count--;
    return change;
  }

  #sleep(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
      if (signal.aborted) this.#wake();
    });
  }
}
