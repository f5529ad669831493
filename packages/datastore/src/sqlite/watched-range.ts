import type { Change, Revision } from '../datastore.ts';
import type { SqliteEngine } from './sqlite-engine.ts';

/** Changes read at once. */
const BATCH = 1000;

/** What the reader of a watch knows from elsewhere, and as of when. */
interface Known {
  readonly keys: readonly string[];
  readonly revision: Revision;
}

/** One watch: what its reader knows, and how to find out what it does not know yet. */
export class WatchedRange {
  readonly prefix: string;
  /** A batch is on its way; the next is read when it has arrived. */
  isWaiting = false;
  /** The revision of what the reader knows; `undefined` if the same number may have meant something else. */
  readonly #known = new Map<string, Revision | undefined>();
  #isSynced = false;
  /** The reader knows what there was then. */
  #from: Revision | undefined;
  /** Read up to this revision; `undefined` if the range must be listed. */
  #revision: number | undefined;

  constructor(prefix: string, from: Revision | undefined) {
    this.prefix = prefix;
    this.#from = from;
  }

  /**
   * Compare everything.
   *
   * @param isSameFile If not, the same revision may mean something else: everything is reported anew.
   */
  restart(isSameFile: boolean): void {
    this.#revision = undefined;
    if (isSameFile) return;
    for (const key of this.#known.keys()) this.#known.set(key, undefined);
  }

  /**
   * Call before each read.
   *
   * @returns Once, if the watch is from a revision: what the reader, who is in sync as of then, knows.
   * @throws {CompactedError} If that revision is no longer kept, or was never reached.
   */
  begin(engine: SqliteEngine): Known | undefined {
    if (this.#from === undefined) return undefined;
    const { entries, revision } = engine.list(this.prefix, 2 ** 31, '', Number(this.#from));
    for (const entry of entries) this.#known.set(entry.key, entry.revision);
    this.#revision = Number(revision);
    this.#isSynced = true;
    this.#from = undefined;
    return { keys: entries.map(({ key }) => key), revision };
  }

  /** The next changes for the reader; none if it knows everything. */
  read(engine: SqliteEngine): Change[] {
    while (this.#revision !== undefined) {
      const result = engine.changesSince(this.#revision, BATCH);
      if (result === 'replaced') this.restart(false);
      if (result === 'compacted' || result === 'replaced') break;
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
