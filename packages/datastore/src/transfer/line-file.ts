import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** A new file of lines, readable by its owner only, with the checksum of what was written. */
export class LineFile implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** @throws If there is such a file. */
  static async create(path: string): Promise<LineFile> {
    return new LineFile(await open(path, 'wx', 0o600));
  }

  async append(lines: readonly string[]): Promise<void> {
    const text = lines.map((line) => `${line}\n`).join('');
    this.#hash.update(text);
    await this.#handle.writeFile(text);
  }

  /** @returns The SHA-256 of it, hexadecimal. */
  finish(): string {
    return this.#hash.digest('hex');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** Lines of a file, some at a time, bounded in length each. */
export interface LineReader {
  chunks(): AsyncIterable<readonly string[]>;
  /** Of what was read, which is all of it when the chunks have ended. */
  sum(): string;
}

/** @param maxLength Of a line, in characters. @throws {RangeError} While reading, if one is longer. */
export function readLines(path: string, maxLength: number): LineReader {
  const hash = createHash('sha256');
  return {
    async *chunks() {
      let rest = '';
      const decoder = new TextDecoder();
      for await (const octets of createReadStream(path, { highWaterMark: 256 * 1024 })) {
        hash.update(octets as Buffer);
        const lines = (rest + decoder.decode(octets as Buffer, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > maxLength) throw new RangeError(`${path} has a line too long`);
        if (lines.length > 0) yield lines;
      }
      if (rest !== '') yield [rest];
    },
    sum: () => hash.digest('hex'),
  };
}
