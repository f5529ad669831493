/** A file is not MRT, or a record of it is broken. */
export class MrtError extends Error {
  override readonly name = 'MrtError';
}
