import type { Change, Revision } from '../datastore.ts';
import type { SqliteEngine } from './sqlite-engine.ts';

/** Changes read at once. */
const BATCH = 1000;

/** One watch: what its reader knows, and how to find out what it does not know yet. */
export class WatchedRange {
  readonly prefix: string;
  /** A batch is on its way; the next is read when it has arrived. */
  isWaiting = false;
  readonly #known = new Map<string, Revision>();
  #isSynced = false;
  /** Read up to this revision; `undefined` if the range must be listed. */
  #revision: number | undefined;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** The log may not be the one that was read so far: compare everything. */
  restart(): void {
    this.#revision = undefined;
  }

  /** The next changes for the reader; none if it knows everything. */
  read(engine: SqliteEngine): Change[] {
    while (this.#revision !== undefined) {
      const result = engine.changesSince(this.#revision, BATCH);
      if (result === 'compacted') break;
      const isLast = result.revision === this.#revision;
      this.#revision = result.revision;
      const changes = result.changes.filter((change) => this.#note(change));
      if (changes.length > 0 || isLast) return changes;
    }
    return this.#compare(engine);
  }

  #compare(engine: SqliteEngine): Change[] {
    const { entries, revision } = engine.list(this.prefix, 2 ** 31, '');
    const gone = new Set(this.#known.keys());
    const changes: Change[] = [];
    for (const entry of entries) {
      gone.delete(entry.key);
      if (this.#known.get(entry.key) !== entry.revision) changes.push({ type: 'put', entry });
      this.#known.set(entry.key, entry.revision);
    }
    for (const key of gone) {
      this.#known.delete(key);
      changes.push({ type: 'delete', key, revision });
    }
    if (!this.#isSynced) changes.push({ type: 'synced', revision });
    this.#isSynced = true;
    this.#revision = Number(revision);
    return changes;
  }

  /** Remembers a change. @returns Whether it concerns this range. */
  #note(change: Change): boolean {
    if (change.type === 'put' && change.entry.key.startsWith(this.prefix)) {
      this.#known.set(change.entry.key, change.entry.revision);
      return true;
    }
    if (change.type !== 'delete' || !change.key.startsWith(this.prefix)) return false;
    this.#known.delete(change.key);
    return true;
  }
}
