import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import type { Logger } from 'pino';

/** What is written at once, octets; and how long it waits for more, milliseconds. */
const CHUNK_OCTETS = 64 * 1024;
const FLUSH_MS = 1000;
/** After a failure nothing is tried for so long, milliseconds. */
const PAUSE_MS = 10_000;

export interface RotatingFileOptions {
  readonly file: string;
  /** A file that would grow beyond this becomes `FILE.1`, the one before `FILE.2`, and so on. */
  readonly maxOctets: number;
  /** How many there are at most, the one that is written among them. */
  readonly files: number;
}

/**
 * Records on their way into a file that never grows beyond a size, with those before it. What was there is gone on with. A disk
 * that is full costs the records of the time, and nobody else anything.
 */
export class RotatingFile implements Disposable {
  readonly options: RotatingFileOptions;
  readonly #log: Logger;
  #descriptor: number | undefined;
  #octets = 0;
  #pending: Uint8Array[] = [];
  #pendingOctets = 0;
  #timer: NodeJS.Timeout | undefined;
  #pausedUntilMs = 0;
  #lost = 0;

  constructor(options: RotatingFileOptions, log: Logger) {
    this.options = options;
    this.#log = log;
  }

  /** Records that could not be written. */
  get lost(): number {
    return this.#lost;
  }

  write(record: Uint8Array): void {
    this.#pending.push(record);
    this.#pendingOctets += record.length;
    if (this.#pendingOctets >= CHUNK_OCTETS) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  [Symbol.dispose](): void {
    this.#flush();
    this.#close();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const records = this.#pending;
    if (records.length === 0) return;
    this.#pending = [];
    this.#pendingOctets = 0;
    if (performance.now() < this.#pausedUntilMs) {
      this.#lost += records.length;
      return;
    }
    try {
      this.#append(records);
    } catch (error) {
      this.#lost += records.length;
      this.#pausedUntilMs = performance.now() + PAUSE_MS;
      this.#close();
      const { file } = this.options;
      this.#log.warn({ err: error, file, lost: this.#lost }, 'records are lost: not written');
    }
  }

  /** Whole records to a file: a reader finds none that is cut. */
  #append(records: readonly Uint8Array[]): void {
    let chunk: Uint8Array[] = [];
    let octets = 0;
    for (const record of records) {
      const size = (this.#descriptor === undefined ? this.#open() : this.#octets) + octets;
      if (size > 0 && size + record.length > this.options.maxOctets) {
        this.#put(chunk);
        this.#rotate();
        [chunk, octets] = [[], 0];
      }
      chunk.push(record);
      octets += record.length;
    }
    this.#put(chunk);
  }

  #put(records: readonly Uint8Array[]): void {
    if (this.#descriptor === undefined) this.#open();
    const octets = Buffer.concat(records);
    for (let at = 0; at < octets.length; ) at += writeSync(this.#descriptor ?? -1, octets, at);
    this.#octets += octets.length;
  }

  /** @returns Octets that are there already. */
  #open(): number {
    this.#descriptor = openSync(this.options.file, 'a', 0o600);
    this.#octets = fstatSync(this.#descriptor).size;
    return this.#octets;
  }

  #rotate(): void {
    this.#close();
    const { file, files } = this.options;
    for (let number = files - 1; number > 0; number -= 1) {
      rename(number === 1 ? file : `${file}.${number - 1}`, `${file}.${number}`);
    }
    if (files === 1) closeSync(openSync(file, 'w', 0o600));
    this.#octets = 0;
  }

  #close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
