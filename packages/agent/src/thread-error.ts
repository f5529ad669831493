/** Error classes that may cross between threads, found by their name. */
export type ErrorClasses = readonly (new (...args: never[]) => Error)[];

/** An error as plain data. */
export interface EncodedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** Fields of its own, such as `code`. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause?: EncodedError;
}

/** Turns what was thrown into data that a message can carry. Structured cloning alone loses class and fields. */
export function encodeError(thrown: unknown): EncodedError {
  if (!(thrown instanceof Error)) {
    return { name: 'Error', message: String(thrown), stack: '', fields: {} };
  }
  const { name, message, stack, cause, ...rest } = thrown as Error & Record<string, unknown>;
  const fields = Object.fromEntries(Object.entries(rest).filter(([, value]) => isCloneable(value)));
  return {
    name: thrown.name,
    message: thrown.message,
    stack: thrown.stack ?? '',
    fields,
    ...(thrown.cause === undefined ? {} : { cause: encodeError(thrown.cause) }),
  };
}

/** The inverse: an instance of the class of that name, so that `instanceof` decides as it does in one thread. */
export function decodeError(encoded: EncodedError, classes: ErrorClasses): Error {
  const known = classes.find((candidate) => candidate.name === encoded.name);
  const error = Object.create((known ?? Error).prototype) as Error;
  const hidden = (value: unknown) => ({ value, configurable: true, writable: true });
  Object.defineProperty(error, 'name', hidden(encoded.name));
  Object.defineProperty(error, 'message', hidden(encoded.message));
  Object.defineProperty(error, 'stack', hidden(encoded.stack));
  if (encoded.cause)
    Object.defineProperty(error, 'cause', hidden(decodeError(encoded.cause, classes)));
  return Object.assign(error, encoded.fields);
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
