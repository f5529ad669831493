export type {
  Change,
  Condition,
  Datastore,
  Entry,
  Lease,
  LeaseId,
  ListOptions,
  Operation,
  Page,
  Revision,
  Transaction,
} from './datastore.ts';
export { MAX_TRANSACTION_OCTETS, MAX_TRANSACTION_OPERATIONS } from './datastore.ts';
export {
  CompactedError,
  ConflictError,
  LeaseError,
  LimitError,
  UnavailableError,
  UnusableError,
} from './errors.ts';
export { MemoryDatastore } from './memory/memory-datastore.ts';
export { MemoryStore } from './memory/memory-store.ts';
export type { DatastoreOptions, MemoryOptions, SqliteOptions } from './open-datastore.ts';
export { openDatastore } from './open-datastore.ts';
