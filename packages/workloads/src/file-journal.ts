import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { JournalError } from './errors.ts';
import type { Journal, JournalContent } from './journal.ts';
import type { WorkloadRecord } from './workload-record.ts';

const SUFFIX = '.json';

/**
 * A journal in a directory: one JSON file per workload, `caliXXXXXXXXXXX.json`, mode 0600. A crash at any
 * moment leaves the old record or the new one: written aside, fsynced, renamed, and the directory fsynced.
 *
 * @param directory Made (0700) when it is missing.
 */
export function fileJournal(directory: string): Journal {
  return {
    async list(): Promise<JournalContent> {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const records: WorkloadRecord[] = [];
      const unreadable: string[] = [];
      for (const file of (await readdir(directory)).toSorted()) {
        if (!file.endsWith(SUFFIX)) continue;
        const path = join(directory, file);
        const record = readRecord(await readFile(path, 'utf8'));
        if (record) records.push(record);
        else unreadable.push(path);
      }
      return { records, unreadable };
    },

    async write(record) {
      const path = join(directory, record.hostInterface + SUFFIX);
      const aside = `${path}.new`;
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        {
          await using file = await open(aside, 'w', 0o600);
          await file.writeFile(`${JSON.stringify(record, null, 2)}\n`);
          await file.sync();
        }
        await rename(aside, path);
        await syncDirectory(directory);
      } catch (error) {
        await rm(aside, { force: true }).catch(() => undefined);
        throw new JournalError(directory, { cause: error });
      }
    },

    async remove(hostInterface) {
      await rm(join(directory, hostInterface + SUFFIX), { force: true });
      await syncDirectory(directory);
    },
  };
}

/** Only we write these files, so the version stands for the form. */
function readRecord(text: string): WorkloadRecord | undefined {
  try {
    const record = JSON.parse(text) as WorkloadRecord | null;
    return record?.version === 1 ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  await using folder = await open(directory, 'r');
  await folder.sync();
}
