import type { Logger } from 'pino';
import { writeSnapshot } from './snapshot.ts';

/** How long changes are gathered before they are written: an fsync each would wear the disk. */
const GATHER_MS = 500;

/** Writes the snapshot after changes, one write at a time; a write that fails is tried again with the next. */
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
    this.#timer ??= setTimeout(() => void this.flush(), GATHER_MS);
  }

  /** Writes now what has not been written. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
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
    }
  }
}
