import type { Logger } from 'pino';

/** After a write that failed. */
const RETRY_MS = 5000;

export interface SnapshotKeeperOptions<T> {
  readonly write: (latest: T) => Promise<void>;
  /** How long changes are gathered before they are written: an fsync each would wear the disk. */
  readonly gatherMs: number;
  readonly log: Logger;
}

/** Writes a snapshot after changes, one write at a time; what cannot be written is tried again. */
export class SnapshotKeeper<T> {
  readonly #options: SnapshotKeeperOptions<T>;
  #latest: { readonly value: T } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: SnapshotKeeperOptions<T>) {
    this.#options = options;
  }

  /** @param value As it is when it is written, not now. */
  changed(value: T): void {
    this.#latest = { value };
    this.#flushIn(this.#options.gatherMs);
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
    const latest = this.#latest;
    if (!latest) return;
    this.#latest = undefined;
    try {
      await this.#options.write(latest.value);
    } catch (error) {
      this.#options.log.error(
        { err: error },
        'snapshot cannot be written: a restart without datastore would use the last one',
      );
      this.#latest ??= latest;
      this.#flushIn(RETRY_MS);
    }
  }
}
