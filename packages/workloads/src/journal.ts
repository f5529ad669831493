import type { WorkloadRecord } from './workload-record.ts';

/** Records that outlive the process and the machine's power. One per host interface. */
export interface Journal {
  /** Everything recorded, and what cannot be read. */
  list(): Promise<JournalContent>;
  /** Stores or replaces a record; it is on disk when this resolves. */
  write(record: WorkloadRecord): Promise<void>;
  /** Forgets a record; one that is absent is no mistake. After a loss of power it may be there again, as it was. */
  remove(hostInterface: string): Promise<void>;
}

export interface JournalContent {
  readonly records: readonly WorkloadRecord[];
  /** Files that hold no record this version understands; they are left alone. */
  readonly unreadable: readonly string[];
}
