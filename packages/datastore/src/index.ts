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
export { MAX_TRANSACTION_OPERATIONS, MAX_VALUE_OCTETS } from './datastore.ts';
export { ConflictError, LimitError, UnavailableError } from './errors.ts';
