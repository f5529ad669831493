/** A field of a request, and what is wrong with it. */
export interface FieldFault {
  readonly field: string;
  /** A phrase that follows the field: `must be …`. */
  readonly reason: string;
}

/** The request cannot be met as it is. Nothing was done. */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError';
  readonly faults: readonly FieldFault[];

  constructor(faults: readonly FieldFault[], options?: ErrorOptions) {
    super(faults.map(({ field, reason }) => `${field}: ${reason}`).join('; '), options);
    this.faults = faults;
  }
}

/** The container, or the name, is attached already in another way. Detach it first. */
export class AlreadyAttachedError extends Error {
  override readonly name = 'AlreadyAttachedError';
}

/** The time for an attach is over, or it was called off by a detach. What was done is undone. */
export class AttachAbortedError extends Error {
  override readonly name = 'AttachAbortedError';
}

/** The journal takes no record: a full disk, for one. Nothing is begun that could not be found again. */
export class JournalError extends Error {
  override readonly name = 'JournalError';

  constructor(directory: string, options: { readonly cause: unknown }) {
    const { cause } = options;
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`the journal in ${directory} cannot be written: ${reason}`, options);
  }
}
