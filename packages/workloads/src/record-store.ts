import type { Journal } from './journal.ts';
import type { WorkloadRecord } from './workload-record.ts';

/** The journal with a copy in memory, by host interface. What is in memory is on disk, or was tried, or follows from the host. */
export class RecordStore {
  readonly #journal: Journal;
  readonly #onDeparted: (hostInterfaces: ReadonlySet<string>) => void;
  readonly #records = new Map<string, WorkloadRecord>();
  #departed: ReadonlySet<string> = new Set();

  constructor(journal: Journal, onDeparted: (hostInterfaces: ReadonlySet<string>) => void) {
    this.#journal = journal;
    this.#onDeparted = onDeparted;
  }

  /** Reads the journal. @returns Files that hold no record we understand. */
  async load(): Promise<readonly string[]> {
    const { records, unreadable } = await this.#journal.list();
    for (const record of records) this.#records.set(record.hostInterface, record);
    this.#tell();
    return unreadable;
  }

  get(hostInterface: string): WorkloadRecord | undefined {
    return this.#records.get(hostInterface);
  }

  all(): WorkloadRecord[] {
    return [...this.#records.values()];
  }

  /** For this process alone: the journal keeps what it has. */
  note(record: WorkloadRecord): void {
    this.#records.set(record.hostInterface, record);
    this.#tell();
  }

  /** @throws If the journal cannot be written. Memory has the record all the same: it may be on disk. */
  async write(record: WorkloadRecord): Promise<void> {
    this.note(record);
    await this.#journal.write(record);
  }

  async remove({ hostInterface }: WorkloadRecord): Promise<void> {
    await this.#journal.remove(hostInterface);
    this.#records.delete(hostInterface);
    this.#tell();
  }

  #tell(): void {
    const departed = this.all().filter(({ state }) => state === 'detaching');
    const names = new Set(departed.map(({ hostInterface }) => hostInterface));
    const isSame = [...names].every((name) => this.#departed.has(name));
    if (isSame && names.size === this.#departed.size) return;
    this.#departed = names;
    this.#onDeparted(names);
  }
}
