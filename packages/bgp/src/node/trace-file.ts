import { closeSync, openSync, writeSync } from 'node:fs';
import type { Logger } from 'pino';

/** What is written at once, characters; and how long it waits for more, milliseconds. */
const CHUNK_CHARACTERS = 64 * 1024;
const FLUSH_MS = 200;
/** A trace that grows larger ends. */
const MAX_TRACE_OCTETS = 1024 ** 3;

/** The file of a trace cannot be opened. */
export class TraceFileError extends Error {
  override readonly name = 'TraceFileError';
}

/**
 * Opens a file for a trace, readable by its owner alone: it says what the network looks like. What was in it is lost.
 *
 * @throws {TraceFileError} If it cannot be written.
 */
export function openTraceFile(path: string, log: Logger): TraceFile {
  try {
    return new TraceFile(openSync(path, 'w', 0o600), log);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new TraceFileError(`cannot write ${path}: ${code}`, { cause: error });
  }
}

/**
 * A trace on its way into a file. Written at once when there is much of it and within a moment otherwise, and when the process
 * ends, however it does but by `kill -9`. A file that cannot be written any more costs the trace, not the router.
 */
export class TraceFile implements Disposable {
  #descriptor: number | undefined;
  #pending: string[] = [];
  #pendingCharacters = 0;
  #octets = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #log: Logger;
  readonly #maxOctets: number;
  readonly #onExit = (): void => this.#flush();

  constructor(descriptor: number, log: Logger, maxOctets = MAX_TRACE_OCTETS) {
    this.#descriptor = descriptor;
    this.#log = log;
    this.#maxOctets = maxOctets;
    process.once('exit', this.#onExit);
  }

  write(line: string): void {
    if (this.#descriptor === undefined) return;
    this.#pending.push(line, '\n');
    this.#pendingCharacters += line.length + 1;
    if (this.#pendingCharacters >= CHUNK_CHARACTERS) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  [Symbol.dispose](): void {
    this.#flush();
    this.#close();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#descriptor === undefined || this.#pendingCharacters === 0) return;
    const octets = Buffer.from(this.#pending.join(''));
    this.#pending = [];
    this.#pendingCharacters = 0;
    try {
      if (this.#octets + octets.length > this.#maxOctets) {
        this.#end(`the trace has ${this.#octets} octets`);
        return;
      }
      writeWhole(this.#descriptor, octets);
      this.#octets += octets.length;
    } catch (error) {
      this.#end((error as NodeJS.ErrnoException).code ?? String(error));
    }
  }

  #end(reason: string): void {
    this.#log.warn({ reason }, 'the trace ends here');
    this.#close();
  }

  #close(): void {
    process.removeListener('exit', this.#onExit);
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function writeWhole(descriptor: number, octets: Uint8Array): void {
  for (let at = 0; at < octets.length; ) at += writeSync(descriptor, octets, at);
}
