import type { Logger } from 'pino';
import { writeSnapshot } from './snapshot.ts';

/** How long changes are gathered before they are written: an fsync each would wear the disk. */
const GATHER_MS = 500;

/** After a write that failed. */
const RETRY_MS = 5000;

/** Writes the snapshot after changes, one write at a time; what cannot be written is tried again. */
export class SnapshotKeeper {
  readonly #path: string;
  readonly #nodeName: string;
  readonly #log: Logger;
  #latest: ReadonlyMap<string, string> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, nodeName: string, log: Logger) {
    this.#path = path;
    this.#nodeName = nodeName;
    this.#log = log;
  }

  /** @param entries As they are when it is written, not now. */
  changed(entries: ReadonlyMap<string, string>): void {
    this.#latest = entries;
    this.#flushIn(GATHER_MS);
  }

  /** Writes now what has not been written. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  #flushIn(milliseconds: number): void {
    this.#timer ??= setTimeout(() => void this.flush(), milliseconds);
    this.#timer.unref();
  }

  async #write(): Promise<void> {
    const entries = this.#latest;
    if (!entries) return;
    this.#latest = undefined;
    const list = [...entries].map(([key, value]) => ({ key, value }));
    try {
      await writeSnapshot(this.#path, { nodeName: this.#nodeName, entries: list });
    } catch (error) {
      this.#log.error(
        { err: error },
        'snapshot cannot be written: a restart without datastore would use the last one',
      );
      this.#latest ??= entries;
      this.#flushIn(RETRY_MS);
    }
  }
}
