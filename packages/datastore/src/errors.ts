import type { Entry } from './datastore.ts';

/** A condition of a transaction does not hold: read again and decide anew. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
  readonly key: string;
  /** What the key holds now; `undefined` if it is absent. */
  readonly actual: Entry | undefined;

  constructor(key: string, actual: Entry | undefined) {
    super(
      `${key} ${actual ? `is at revision ${actual.revision}` : 'is absent'}: changed by someone else`,
    );
    this.key = key;
    this.actual = actual;
  }
}

/** The datastore cannot be reached, or did not answer in time. A write may have been applied. */
export class UnavailableError extends Error {
  override readonly name: string = 'UnavailableError';
}

/** The datastore is locked: nothing was written. For a program it is as good as away, until it is unlocked. */
export class LockedError extends UnavailableError {
  override readonly name = 'LockedError';
}

/** The request is larger than the datastore takes. Nothing was sent. */
export class LimitError extends Error {
  override readonly name = 'LimitError';
}

/** The revision asked for is no longer kept, or was never reached here: list again from the start. */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
}

/** The datastore was opened read-only. Nothing was sent. */
export class ReadOnlyError extends Error {
  override readonly name = 'ReadOnlyError';
}

/** The lease has ended: grant a new one. Nothing was written. */
export class LeaseError extends Error {
  override readonly name = 'LeaseError';
}

/** What is stored cannot be used: damaged, not ours, or of a newer version. An operator must act. */
export class UnusableError extends Error {
  override readonly name = 'UnusableError';
}

/** The datastore refuses this client: a wrong user, password, certificate or role. An operator must act. */
export class AccessDeniedError extends Error {
  override readonly name = 'AccessDeniedError';
}
