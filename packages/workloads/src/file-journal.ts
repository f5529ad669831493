import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '@overland/linux/durable-file';
import { JournalError } from './errors.ts';
import type { Journal, JournalContent } from './journal.ts';
import type { WorkloadRecord } from './workload-record.ts';

const SUFFIX = '.json';

/**
 * A journal in a directory: one JSON file per workload, `caliXXXXXXXXXXX.json`, mode 0600. A crash at any
 * moment leaves the old record or the new one.
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
      try {
        await writeDurably(path, `${JSON.stringify(record, null, 2)}\n`, {
          // A loss of power takes the links along, and without its link each later state tells the same as this one.
          isNew: record.state === 'attaching',
        });
      } catch (error) {
        throw new JournalError(directory, { cause: error });
      }
    },

    // Not durably: what comes back after a crash is a detach that is settled again, and finds nothing.
    remove: (hostInterface) => rm(join(directory, hostInterface + SUFFIX), { force: true }),
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
