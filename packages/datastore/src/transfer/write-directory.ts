import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CLUSTER_INFORMATION_KEY } from '@overland/model';
import type { Datastore, Revision } from '../datastore.ts';
import { CompactedError, UnusableError } from '../errors.ts';
import {
  type ExportIndex,
  INCOMPLETE_FILE,
  INDEX_FILE,
  printIndex,
  SUMS_FILE,
} from './export-index.ts';
import { inFlight } from './in-flight.ts';
import { EXTENSIONS_PREFIX, RESOURCES_PREFIX, Tally } from './key-ranges.ts';
import { LineFile } from './line-file.ts';
import { isLocked } from './lock.ts';
import { extensionKeyFor, type ObjectFile, objectFileOf } from './object-file.ts';
import { rawLine, rawPathOf } from './raw-lines.ts';
import { entryAt, readDatastore } from './read-datastore.ts';
import type { KeyValue, OnProgress } from './source.ts';

const run = promisify(execFile);

/** How often an export starts over because its revision was compacted away. */
const MAX_ATTEMPTS = 3;
const FILES_IN_FLIGHT = 16;

export interface ExportOptions {
  readonly store: Datastore;
  /** Where the datastore is, for the index; no secrets. */
  readonly location: string;
  readonly directory: string;
  readonly now: () => Date;
  readonly onProgress?: OnProgress;
  /** Brings the files of the directory to the disk. Default: `sync` of its file system. */
  readonly flush?: (directory: string) => Promise<unknown>;
}

/**
 * Writes everything that a datastore has of a cluster, as of one revision, into a directory that only its owner can
 * read: each object as a manifest, the rest as lines of keys and values. An export that was interrupted is begun anew.
 *
 * @returns The index, which is also in the directory.
 * @throws {UnusableError} If the directory holds something else.
 */
export async function exportDirectory(options: ExportOptions): Promise<ExportIndex> {
  await makeRoom(options.directory);
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeDirectory(options);
    } catch (error) {
      if (!(error instanceof CompactedError) || attempt === MAX_ATTEMPTS) throw error;
      await removeContent(options.directory);
    }
  }
}

async function writeDirectory(options: ExportOptions): Promise<ExportIndex> {
  const { store, location, directory, now, onProgress, flush = syncFileSystem } = options;
  const source = await readDatastore(store, location);
  const revision = source.revision as Revision;
  const tally = new Tally();
  await using writer = await DirectoryWriter.create(directory);
  for await (const page of source.pages()) {
    const placed: { readonly entry: KeyValue; readonly file: ObjectFile | 'raw' | 'joined' }[] = [];
    for (const entry of page) {
      tally.add(entry.key);
      placed.push({ entry, file: await placeOf(store, revision, entry) });
    }
    await writer.write(placed);
    onProgress?.(tally.total);
  }
  const clusterInformation = await entryAt(store, CLUSTER_INFORMATION_KEY, revision);
  const sums = await writer.finish();
  await flush(directory);
  const index = {
    source: location,
    revision,
    exportedAt: now().toISOString(),
    locked: isLocked(clusterInformation?.value),
    keys: tally.total,
    counts: tally.counts,
    leftOut: source.leftOut(),
    ...sums,
  };
  await writeDurably(join(directory, INDEX_FILE), printIndex(index));
  await rm(join(directory, INCOMPLETE_FILE));
  await syncFolder(directory);
  return index;
}

/** One call for all files, in place of an fsync of each. */
function syncFileSystem(directory: string): Promise<unknown> {
  return run('sync', ['--file-system', directory]);
}

/** Where an entry goes: into a file of its own, among the raw ones, or into the file of its object. */
async function placeOf(
  store: Datastore,
  revision: Revision,
  entry: KeyValue,
): Promise<ObjectFile | 'raw' | 'joined'> {
  const { key } = entry;
  const { readYaml } = await import('./yaml-text.ts');
  if (key.startsWith(EXTENSIONS_PREFIX)) {
    const baseKey = RESOURCES_PREFIX + key.slice(EXTENSIONS_PREFIX.length);
    const base = await entryAt(store, baseKey, revision);
    return base && objectFileOf(base, entry, readYaml)?.hasExtension ? 'joined' : 'raw';
  }
  const apart = extensionKeyFor(key);
  const extension = apart === undefined ? undefined : await entryAt(store, apart, revision);
  return objectFileOf(entry, extension, readYaml) ?? 'raw';
}

/** Files of one export, and their checksums. */
class DirectoryWriter implements AsyncDisposable {
  readonly #directory: string;
  readonly #sums: LineFile;
  readonly #raw = new Map<string, LineFile>();
  readonly #folders = new Map<string, Promise<unknown>>();
  #files = 0;

  private constructor(directory: string, sums: LineFile) {
    this.#directory = directory;
    this.#sums = sums;
  }

  static async create(directory: string): Promise<DirectoryWriter> {
    return new DirectoryWriter(directory, await LineFile.create(join(directory, SUMS_FILE)));
  }

  async write(
    placed: readonly { readonly entry: KeyValue; readonly file: ObjectFile | 'raw' | 'joined' }[],
  ): Promise<void> {
    const files = placed.flatMap(({ file }) => (typeof file === 'string' ? [] : [file]));
    await inFlight(files, FILES_IN_FLIGHT, ({ path, text }) => this.#writeFile(path, text));
    await this.#sums.append(files.map(({ path, text }) => `${sha256(text)}  ${path}`));
    this.#files += files.length;
    const raw = placed.filter(({ file }) => file === 'raw').map(({ entry }) => entry);
    for (const [path, entries] of Map.groupBy(raw, ({ key }) => rawPathOf(key))) {
      await (await this.#rawFile(path)).append(entries.map(rawLine));
    }
  }

  /** Ends all files. @returns How many there are, and the checksum of their checksums. */
  async finish(): Promise<Pick<ExportIndex, 'files' | 'sums'>> {
    for (const [path, file] of this.#raw) {
      await this.#sums.append([`${file.finish()}  ${path}`]);
    }
    return { files: this.#files + this.#raw.size, sums: this.#sums.finish() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sums[Symbol.asyncDispose]();
    for (const file of this.#raw.values()) await file[Symbol.asyncDispose]();
  }

  async #writeFile(path: string, text: string): Promise<void> {
    await this.#folder(dirname(path));
    await writeFile(join(this.#directory, path), text, { flag: 'wx', mode: 0o600 });
  }

  async #rawFile(path: string): Promise<LineFile> {
    const known = this.#raw.get(path);
    if (known) return known;
    await this.#folder(dirname(path));
    const file = await LineFile.create(join(this.#directory, path));
    this.#raw.set(path, file);
    return file;
  }

  #folder(path: string): Promise<unknown> {
    const made =
      this.#folders.get(path) ??
      mkdir(join(this.#directory, path), { recursive: true, mode: 0o700 });
    this.#folders.set(path, made);
    return made;
  }
}

/** Makes the directory, or empties it of an export that was not finished. Anything else in it is left alone. */
async function makeRoom(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = await readdir(directory);
  if (names.includes(INCOMPLETE_FILE)) return removeContent(directory);
  if (names.length > 0) {
    const what = names.includes(INDEX_FILE) ? 'holds an export already' : 'is not empty';
    throw new UnusableError(`${directory} ${what}: export into a new directory`);
  }
  // Values of secrets are among what follows.
  await chmod(directory, 0o700);
  await writeDurably(join(directory, INCOMPLETE_FILE), '');
}

async function removeContent(directory: string): Promise<void> {
  for (const name of [INDEX_FILE, SUMS_FILE, 'resources', 'raw']) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'w', 0o600);
  await file.writeFile(text);
  await file.sync();
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
