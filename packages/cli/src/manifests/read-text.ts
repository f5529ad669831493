import { open } from 'node:fs/promises';

/** A text that cannot be taken as it is: too long, not UTF-8, not readable. */
export class TextError extends Error {
  override readonly name = 'TextError';
}

/**
 * Reads a file as UTF-8; a byte order mark is left out. A file that says it is longer than `maxBytes` is not
 * read; one that does not say (a pipe, a device) is read no further.
 *
 * @throws {TextError} If it cannot be read, is too long, is a directory or is not UTF-8.
 */
export async function readTextFile(path: string, maxBytes: number): Promise<string> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > maxBytes) throw tooLong(maxBytes, ` (${size})`);
    return await readText(file.createReadStream({ autoClose: false }), maxBytes);
  } catch (error) {
    if (error instanceof TextError) throw error;
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new TextError(`cannot be read: ${code}`);
  }
}

/** As {@link readTextFile}, from what arrives. */
export async function readText(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<string> {
  const taken: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxBytes) throw tooLong(maxBytes);
    taken.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(taken));
  } catch {
    throw new TextError('is not UTF-8 text');
  }
}

function tooLong(maxBytes: number, size = ''): TextError {
  return new TextError(`is longer than ${maxBytes} bytes${size}: split the file`);
}
