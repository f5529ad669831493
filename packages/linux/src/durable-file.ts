import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file so that a crash at any moment leaves the old content or the new, on disk: written aside,
 * fsynced, renamed, and the directory fsynced.
 *
 * @param path Mode 0600; its directory is made (0700) when it is missing.
 * @param options.isNew `false`: after a crash it may be the old content, for the directory is not fsynced.
 * @throws What the file system says. Of a write that failed nothing stays: a full disk would be fuller by it.
 */
export async function writeDurably(
  path: string,
  content: string,
  { isNew = true }: { readonly isNew?: boolean } = {},
): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const aside = `${path}.new`;
  try {
    await using file = await open(aside, 'w', 0o600);
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw error;
  }
  await rename(aside, path);
  if (isNew) await syncDirectory(directory);
}

/** Removes a file, if it is there, so that it stays gone after a crash. */
export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncDirectory(dirname(path));
}

async function syncDirectory(directory: string): Promise<void> {
  await using folder = await open(directory, 'r');
  await folder.sync();
}

/** The file's content, or `undefined` if there is none. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
