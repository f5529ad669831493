import type { Datastore } from './datastore.ts';
import type { EtcdOptions } from './etcd/etcd-options.ts';
import { prefixedDatastore } from './prefixed-datastore.ts';
import { readOnlyDatastore } from './read-only-datastore.ts';

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

/** An etcd cluster. */
export interface EtcdDatastoreOptions extends EtcdOptions {
  readonly type: 'etcd';
  /** Keys are stored under this path, such as `/site-1`; default: none, where Calico has them. */
  readonly keyPrefix?: string;
}

export type DatastoreOptions = (SqliteOptions | MemoryOptions | EtcdDatastoreOptions) & {
  /** Every write, lease and compaction is refused with `ReadOnlyError`, before anything is sent. */
  readonly readOnly?: boolean;
};

const DEFAULT_DEADLINE_MS = 5000;

/**
 * Opens a datastore. Only the adapter that is asked for is loaded. One that cannot be reached just now is no
 * error: its calls will say so, until it can.
 *
 * @throws {UnusableError} If what is stored cannot be used.
 * @throws {RangeError} If the options make no sense.
 */
export async function openDatastore(options: DatastoreOptions): Promise<Datastore> {
  const store = await openAdapter(options);
  return options.readOnly ? readOnlyDatastore(store) : store;
}

async function openAdapter(options: DatastoreOptions): Promise<Datastore> {
  switch (options.type) {
    case 'sqlite': {
      const { SqliteDatastore } = await import('./sqlite/sqlite-datastore.ts');
      const { path, deadlineMs = DEFAULT_DEADLINE_MS } = options;
      return SqliteDatastore.open({ path, deadlineMs });
    }
    case 'etcd': {
      const { EtcdDatastore } = await import('./etcd/etcd-datastore.ts');
      const store = new EtcdDatastore(options);
      const { keyPrefix } = options;
      return keyPrefix === undefined ? store : prefixedDatastore(store, keyPrefix);
    }
    case 'memory': {
      const { MemoryDatastore } = await import('./memory/memory-datastore.ts');
      return new MemoryDatastore();
    }
  }
}
