import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Safety net under file events, which may be lost or unavailable. */
const POLL_MS = 50;
/**
 * When to look again after a file event that came too early: the log is written and synced first, and only
 * then does the commit become visible, without an event.
 */
const LOOK_AGAIN_MS = [1, 2, 4, 8, 16];

/** Calls `look` soon after any process has written to the database, and every 50 ms. */
export class ChangeSignal implements Disposable {
  readonly #look: () => boolean;
  readonly #poll: NodeJS.Timeout;
  readonly #events: FSWatcher | undefined;
  #again: NodeJS.Timeout | undefined;

  /** @param look Says whether it found a change. */
  constructor(path: string, look: () => boolean) {
    this.#look = look;
    this.#poll = setInterval(look, POLL_MS);
    const log = `${basename(path)}-wal`;
    try {
      // The directory, not the file: the log is removed and made anew.
      this.#events = watch(dirname(path), (_event, name) => {
        if (name === log) this.#chase(0);
      });
      // Without events (out of inotify watches), polling goes on.
      this.#events.on('error', () => this.#events?.close());
    } catch {
      this.#events = undefined;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#poll);
    clearTimeout(this.#again);
    this.#events?.close();
  }

  #chase(attempt: number): void {
    clearTimeout(this.#again);
    const wait = LOOK_AGAIN_MS[attempt];
    if (this.#look() || wait === undefined) return;
    this.#again = setTimeout(() => this.#chase(attempt + 1), wait);
  }
}
