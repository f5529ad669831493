import type { Change } from './datastore.ts';

/** Stands for `synced` among the keys. */
const SYNCED = Symbol('synced');

/**
 * Between a source of changes and the one loop that takes them. A change to a key replaces one that was not
 * taken yet, and a key that came and went meanwhile leaves nothing: what waits are at most the keys that the reader
 * knows and those that exist, once each, however slow the reader.
 */
export class ChangeQueue {
  /** Until `synced` was taken, by order of the listing; from then on in commit order. */
  readonly #changes = new Map<string | typeof SYNCED, Change>();
  /** Keys that exist, for all that the reader knows. */
  readonly #told = new Set<string>();
  #isSynced = false;
  #end: { readonly error: unknown } | 'ended' | undefined;
  #wake: (() => void) | undefined;

  /** The reader knows these keys from elsewhere. Before anything is pushed. */
  know(keys: Iterable<string>): void {
    for (const key of keys) this.#told.add(key);
  }

  push(change: Change): void {
    const key = keyOf(change);
    const isNews = change.type !== 'delete' || this.#told.has(change.key);
    // Before `synced` in place: what exists must not be reported only after it.
    if (this.#isSynced || !isNews) this.#changes.delete(key);
    if (isNews) this.#changes.set(key, change);
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
    const next = this.#changes.entries().next();
    if (next.done) return undefined;
    const [key, change] = next.value;
    this.#changes.delete(key);
    if (change.type === 'synced') this.#isSynced = true;
    else if (change.type === 'put') this.#told.add(change.entry.key);
    else this.#told.delete(change.key);
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

function keyOf(change: Change): string | typeof SYNCED {
  if (change.type === 'synced') return SYNCED;
  return change.type === 'put' ? change.entry.key : change.key;
}
