import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UsageError } from '../command.ts';

/** What `-f -` means, and how standard input is called in what is printed. */
export const STANDARD_INPUT = '-';

/** One place to read manifests from. */
export interface ManifestFile {
  /** As an operator would name it: what was given, with the name inside a directory; `-` is standard input. */
  readonly name: string;
  readonly path: string;
  /** A directory in which there is nothing to read. */
  readonly isEmptyDirectory?: true;
}

/** Most files at once: keeps out a directory that was not meant. */
const MAX_FILES = 100_000;
const MANIFEST_NAME = /^[^.].*\.(yaml|yml|json)$/;

/**
 * The files that `-f` names, in the order given; those of a directory in the order of their names: every
 * `.yaml`, `.yml` and `.json`, hidden ones left out.
 *
 * @throws {UsageError} If one is not there, standard input is named twice, or there are too many.
 */
export async function findManifestFiles(
  given: readonly string[],
  { recursive, workingDirectory }: { recursive: boolean; workingDirectory: string },
): Promise<ManifestFile[]> {
  if (given.filter((name) => name === STANDARD_INPUT).length > 1) {
    throw new UsageError('-f - can be given once: standard input is read to its end');
  }
  const found: ManifestFile[] = [];
  for (const name of given) {
    const path = resolve(workingDirectory, name);
    if (name !== STANDARD_INPUT && (await isDirectory(path, name))) {
      const before = found.length;
      await addDirectory({ name, path }, recursive, found);
      if (found.length === before) found.push({ name, path, isEmptyDirectory: true });
    } else {
      found.push({ name, path });
    }
  }
  return found;
}

async function isDirectory(path: string, name: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new UsageError(`there is no file or directory ${name}`);
    }
    throw new UsageError(`cannot look at ${name}: ${code}`);
  }
}

/** Links to files are followed, those to directories are not: there is no way round in a circle. */
async function addDirectory(
  { name, path }: ManifestFile,
  recursive: boolean,
  found: ManifestFile[],
): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw new UsageError(
      `cannot read the directory ${name}: ${(error as NodeJS.ErrnoException).code}`,
    );
  });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const inside = { name: join(name, entry.name), path: join(path, entry.name) };
    if (entry.isDirectory()) {
      if (recursive && !entry.name.startsWith('.')) await addDirectory(inside, recursive, found);
    } else if (MANIFEST_NAME.test(entry.name)) {
      found.push(inside);
      if (found.length > MAX_FILES) {
        throw new UsageError(`more than ${MAX_FILES} files: give -f a part of ${name}`);
      }
    }
  }
}
