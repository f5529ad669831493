import { AttachAbortedError } from './errors.ts';

/**
 * Waits for work that cannot be called off itself; what becomes of it afterwards is for the undoing to settle.
 *
 * @param what Completes `not attached in time, waiting for …`.
 * @throws {AttachAbortedError} If the signal aborts first.
 */
export async function within<T>(signal: AbortSignal, what: string, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(abortError(signal, what));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([aborted.promise, work]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The error of an aborted attach. @param what As in {@link within}. */
export function abortError({ reason }: AbortSignal, what: string): AttachAbortedError {
  if (reason instanceof AttachAbortedError) return reason;
  return new AttachAbortedError(`not attached in time, waiting for ${what}`, { cause: reason });
}
