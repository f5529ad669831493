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
export { DryRunDatastore } from './dry-run-datastore.ts';
export {
  AccessDeniedError,
  CompactedError,
  ConflictError,
  LeaseError,
  LimitError,
  LockedError,
  ReadOnlyError,
  UnavailableError,
  UnusableError,
} from './errors.ts';
export type { EtcdOptions } from './etcd/etcd-options.ts';
export { honourLock } from './honour-lock.ts';
export { MemoryDatastore } from './memory/memory-datastore.ts';
export { MemoryStore } from './memory/memory-store.ts';
export type {
  DatastoreOptions,
  EtcdDatastoreOptions,
  MemoryOptions,
  SqliteOptions,
} from './open-datastore.ts';
export { openDatastore } from './open-datastore.ts';
export { appliedResources } from './resources/applied-resources.ts';
export { initialiseCluster } from './resources/initialise-cluster.ts';
export type { Applied, Planned, ResourceClientOptions } from './resources/resource-client.ts';
export { ResourceClient } from './resources/resource-client.ts';
export {
  MissingTierError,
  ReadOnlyKindError,
  RefusedError,
  ResourceConflictError,
  ResourceExistsError,
  ResourceNotFoundError,
} from './resources/resource-errors.ts';
export type { InvalidResource, ResourceList } from './resources/resource-list.ts';
export type { ResourceChange } from './resources/resource-watch.ts';
export type { Verdict } from './transfer/compare.ts';
export type { LeftOut } from './transfer/key-ranges.ts';
export { isDatastoreLocked, setLock } from './transfer/lock.ts';
export { countKeys, readDatastore } from './transfer/read-datastore.ts';
export { readDirectory } from './transfer/read-directory.ts';
export type { TransferSource } from './transfer/source.ts';
export {
  TransferConflictError,
  type TransferReport,
  transfer,
} from './transfer/transfer.ts';
export { type ExportOptions, exportDirectory } from './transfer/write-directory.ts';
