import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { UnusableError } from '../errors.ts';
import { type ExportIndex, readIndex, SUMS_FILE } from './export-index.ts';
import { readLines } from './line-file.ts';
import { entriesOfFile, isObjectPath, MAX_FILE_OCTETS } from './object-file.ts';
import { isRawPath, MAX_LINE, parseRawLine } from './raw-lines.ts';
import type { KeyValue, TransferSource } from './source.ts';

/** Files read at once: a page of the largest of them must fit into memory. */
const FILES_IN_FLIGHT = 16;

/** An exported directory as a source. */
export interface DirectorySource extends TransferSource {
  readonly index: ExportIndex;
}

/**
 * Opens an exported directory. What the files hold is compared with their checksums as they are read.
 *
 * @param allowEdited Take files that were changed after the export.
 * @throws {UnusableError} If it holds no finished export, or a newer one. While reading: if files were changed.
 */
export async function readDirectory(
  directory: string,
  { allowEdited = false }: { readonly allowEdited?: boolean } = {},
): Promise<DirectorySource> {
  const index = await readIndex(directory);
  const reader: Reader = { directory, index, allowEdited };
  return {
    index,
    location: `dir:${directory}`,
    revision: index.revision,
    pages: () => pagesOf(reader),
    leftOut: () => [],
  };
}

interface Reader {
  readonly directory: string;
  readonly index: ExportIndex;
  readonly allowEdited: boolean;
}

async function* pagesOf(reader: Reader): AsyncGenerator<readonly KeyValue[], void> {
  const sums = readLines(join(reader.directory, SUMS_FILE), 1024);
  const raw: (readonly [sum: string, path: string])[] = [];
  for await (const lines of sums.chunks()) {
    const files = lines.map(parseSum);
    raw.push(...files.filter(([, path]) => isRawPath(path)));
    const objects = files.filter(([, path]) => !isRawPath(path));
    for (let i = 0; i < objects.length; i += FILES_IN_FLIGHT) {
      const some = objects.slice(i, i + FILES_IN_FLIGHT);
      const read = await Promise.all(some.map(([sum, path]) => readObject(reader, sum, path)));
      yield read.flat();
    }
  }
  if (sums.sum() !== reader.index.sums) throw changed(SUMS_FILE);
  for (const [sum, path] of raw) yield* rawPages(reader, sum, path);
}

async function readObject(reader: Reader, sum: string, path: string): Promise<KeyValue[]> {
  if (!isObjectPath(path))
    throw new UnusableError(`${SUMS_FILE} names ${path}, which no export has`);
  const octets = await readBounded(join(reader.directory, path));
  const found = createHash('sha256').update(octets).digest('hex');
  if (found !== sum && !reader.allowEdited) throw changed(path);
  // A parser of 72 modules, which no agent needs: it is not to be loaded with this package.
  const { readYaml } = await import('./yaml-text.ts');
  return inFile(path, () => entriesOfFile(path, readYaml(octets.toString())));
}

async function* rawPages(reader: Reader, sum: string, path: string) {
  const file = readLines(join(reader.directory, path), MAX_LINE);
  for await (const lines of file.chunks()) yield inFile(path, () => lines.map(parseRawLine));
  if (file.sum() !== sum && !reader.allowEdited) throw changed(path);
}

async function readBounded(path: string): Promise<Buffer> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  if (size > MAX_FILE_OCTETS) {
    throw new UnusableError(`${path} has ${size} octets, of ${MAX_FILE_OCTETS} at most`);
  }
  return await file.readFile();
}

function parseSum(line: string): readonly [sum: string, path: string] {
  const match = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line);
  if (match?.[1] && match[2]) return [match[1], match[2]];
  throw new UnusableError(`${SUMS_FILE} has a line that is no checksum: ${line.slice(0, 100)}`);
}

function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UnusableError(`${path}: ${error.message}`, { cause: error });
  }
}

function changed(path: string): UnusableError {
  return new UnusableError(`${path} is not what was exported: its checksum differs`);
}
