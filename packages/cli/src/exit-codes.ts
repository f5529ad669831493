/** What the exit code of every command says; docs/cli.md has the table for users. */
export const EXIT = {
  success: 0,
  /** The work failed, or several kinds of failure came together. */
  failure: 1,
  /** The request or the input was wrong. */
  badInput: 2,
  notFound: 3,
  /** Changed by somebody else, or exists already. */
  conflict: 4,
  /** The datastore cannot be reached. */
  unavailable: 5,
  accessDenied: 6,
  /** Not supported, or refused by policy. */
  refused: 7,
} as const;

/** By name: many are thrown in other threads or in modules that a command may never load. */
const CODES: Readonly<Record<string, number>> = {
  UsageError: EXIT.badInput,
  ValidationError: EXIT.badInput,
  YamlError: EXIT.badInput,
  TextError: EXIT.badInput,
  ConfigError: EXIT.badInput,
  LimitError: EXIT.badInput,
  IpamConfigError: EXIT.badInput,
  SplitError: EXIT.badInput,
  NoFamilyError: EXIT.badInput,
  PlaceError: EXIT.notFound,
  StaleReleaseError: EXIT.conflict,
  ResourceNotFoundError: EXIT.notFound,
  MissingTierError: EXIT.notFound,
  LabelNotFoundError: EXIT.notFound,
  SpeakerNotFoundError: EXIT.notFound,
  LabelExistsError: EXIT.conflict,
  ResourceConflictError: EXIT.conflict,
  ResourceExistsError: EXIT.conflict,
  ConflictError: EXIT.conflict,
  TransferConflictError: EXIT.conflict,
  UnavailableError: EXIT.unavailable,
  AccessDeniedError: EXIT.accessDenied,
  ReadOnlyError: EXIT.refused,
  ReadOnlyKindError: EXIT.refused,
  RefusedError: EXIT.refused,
  LockedError: EXIT.refused,
};

/** The exit code of a failure: that of the error, or of the first cause that has one. */
export function exitCodeOf(error: unknown): number {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = CODES[at.name];
    if (code !== undefined) return code;
  }
  return EXIT.failure;
}

/** The exit code of several failures: theirs if it is the same for all, else {@link EXIT.failure}. */
export function exitCodeOfAll(errors: readonly unknown[]): number {
  const codes = new Set(errors.map(exitCodeOf));
  const [only] = codes;
  return codes.size > 1 ? EXIT.failure : (only ?? EXIT.success);
}

/** Whether a failure has an exit code of its own: it is expected, and its message says all there is to say. */
export function isExpected(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === 'FailureError' || exitCodeOf(error) !== EXIT.failure)
  );
}
