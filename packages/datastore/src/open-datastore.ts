import type { Datastore } from './datastore.ts';
import type { EtcdOptions } from './etcd/etcd-options.ts';

/** One SQLite file, for the processes of one machine. */
export interface SqliteOptions {
  readonly type: 'sqlite';
  readonly path: string;
  /** How long a call may take; default 5000. */
  readonly deadlineMs?: number;
}

/** In this process only, and gone with it. */
export interface MemoryOptions {
  readonly type: 'memory';
}

export type DatastoreOptions =
  | SqliteOptions
  | MemoryOptions
  | ({ readonly type: 'etcd' } & EtcdOptions);

const DEFAULT_DEADLINE_MS = 5000;

/**
 * Opens a datastore. Only the adapter that is asked for is loaded. One that cannot be reached just now is no
 * error: its calls will say so, until it can.
 *
 * @throws {UnusableError} If what is stored cannot be used.
 * @throws {RangeError} If the options make no sense.
 */
export async function openDatastore(options: DatastoreOptions): Promise<Datastore> {
  switch (options.type) {
    case 'sqlite': {
      const { SqliteDatastore } = await import('./sqlite/sqlite-datastore.ts');
      const { path, deadlineMs = DEFAULT_DEADLINE_MS } = options;
      return SqliteDatastore.open({ path, deadlineMs });
    }
    case 'etcd': {
      const { EtcdDatastore } = await import('./etcd/etcd-datastore.ts');
      return new EtcdDatastore(options);
    }
    case 'memory': {
      const { MemoryDatastore } = await import('./memory/memory-datastore.ts');
      return new MemoryDatastore();
    }
  }
}
