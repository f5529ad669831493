import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '@overland/model';
import { UnusableError } from '../errors.ts';
import type { LeftOut } from './key-ranges.ts';

const FORMAT = 'overland-datastore-export';
/** Raised with every change to the files. A directory of a higher version is refused. */
const VERSION = 1;
const MAX_OCTETS = 1024 * 1024;

export const INDEX_FILE = 'index.json';
/** Checksum and path of every other file, as `sha256sum --check` reads them. */
export const SUMS_FILE = 'SHA256SUMS';
/** There while a directory is being written. */
export const INCOMPLETE_FILE = 'INCOMPLETE';

/** What `index.json` says of an exported directory. */
export interface ExportIndex {
  /** Where it came from. */
  readonly source: string;
  /** Of the datastore as it was read. */
  readonly revision: string;
  /** RFC 3339. */
  readonly exportedAt: string;
  /** Whether the datastore was locked; if not, it may have changed right afterwards. */
  readonly locked: boolean;
  readonly keys: number;
  /** Keys by what they are. */
  readonly counts: Readonly<Record<string, number>>;
  readonly leftOut: readonly LeftOut[];
  readonly files: number;
  /** SHA-256 of {@link SUMS_FILE}, hexadecimal. */
  readonly sums: string;
}

export function printIndex(index: ExportIndex): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...index }, undefined, 2)}\n`;
}

/** Reads the index of a directory. @throws {UnusableError} If it holds no finished export, or a newer one. */
export async function readIndex(directory: string): Promise<ExportIndex> {
  if (existsSync(join(directory, INCOMPLETE_FILE))) {
    throw new UnusableError(`${directory} holds an export that was interrupted: export again`);
  }
  const text = await readFile(join(directory, INDEX_FILE), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new UnusableError(`${directory} holds no finished export: it has no ${INDEX_FILE}`);
  });
  const index = text.length > MAX_OCTETS ? undefined : parsed(text);
  if (!isJsonObject(index) || index.format !== FORMAT || typeof index.sums !== 'string') {
    throw new UnusableError(`${join(directory, INDEX_FILE)} is not the index of an export`);
  }
  if (index.version !== VERSION) {
    throw new UnusableError(
      `${directory} is in version ${String(index.version)} of the format, of which this Overland knows ${VERSION}`,
    );
  }
  return index as unknown as ExportIndex;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
