import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeDurably, writeDurably } from '@overland/linux/durable-file';

interface Identified {
  readonly version: 1;
  /** Becomes a file name. */
  readonly id: string;
}

const SUFFIX = '.json';

/**
 * Records that outlive the process: a JSON file (0600) for each in a directory, and all of them in memory. A crash at
 * any moment leaves the old record or the new one. Docker tells nothing twice, so what it has told must not be lost.
 */
export class RecordFiles<T extends Identified> {
  readonly #directory: string;
  readonly #records: Map<string, T>;
  /** Files that hold no record of this version. They are left alone: something is meant by them, so nothing that no record names may be given up. */
  readonly unreadable: readonly string[];

  private constructor(directory: string, records: Map<string, T>, unreadable: readonly string[]) {
    this.#directory = directory;
    this.#records = records;
    this.unreadable = unreadable;
  }

  /** Reads the directory; made (0700) when it is missing. */
  static async open<T extends Identified>(directory: string): Promise<RecordFiles<T>> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const records = new Map<string, T>();
    const unreadable: string[] = [];
    for (const file of (await readdir(directory)).toSorted()) {
      if (!file.endsWith(SUFFIX)) continue;
      const path = join(directory, file);
      const record = readRecord<T>(await readFile(path, 'utf8'));
      if (record) records.set(record.id, record);
      else unreadable.push(path);
    }
    return new RecordFiles(directory, records, unreadable);
  }

  get(id: string): T | undefined {
    return this.#records.get(id);
  }

  all(): readonly T[] {
    return [...this.#records.values()];
  }

  /** Stores or replaces; on disk when this resolves. */
  async write(record: T): Promise<void> {
    await writeDurably(this.#path(record.id), `${JSON.stringify(record, null, 2)}\n`);
    this.#records.set(record.id, record);
  }

  /** What is absent is no mistake. */
  async remove(id: string): Promise<void> {
    this.#records.delete(id);
    await removeDurably(this.#path(id));
  }

  #path(id: string): string {
    return join(this.#directory, id + SUFFIX);
  }
}

/** Only we write these files, so the version stands for the form. */
function readRecord<T extends Identified>(text: string): T | undefined {
  try {
    const record = JSON.parse(text) as T | null;
    return record?.version === 1 ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
