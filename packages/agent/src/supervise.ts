import { once } from 'node:events';

/** A part with a life. `start` returns when it is ready; disposing it stops it. */
export type Part = (signal: AbortSignal) => Promise<AsyncDisposable>;

/**
 * Starts parts in order, waits for `signal`, stops them in reverse.
 *
 * @throws What a part throws when it does not start, after those before it have been stopped.
 */
export async function supervise(parts: Iterable<Part>, signal: AbortSignal): Promise<void> {
  await using running = new AsyncDisposableStack();
  for (const start of parts) {
    if (signal.aborted) return;
    running.use(await start(signal));
  }
  if (!signal.aborted) await once(signal, 'abort');
}
