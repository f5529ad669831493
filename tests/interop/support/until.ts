import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until `probe` returns something true.
 *
 * @param what For the error: `the session is up`.
 */
export async function until<T>(
  what: string | (() => string),
  probe: () => T | Promise<T>,
  seconds = 15,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (performance.now() > deadline) {
      const text = typeof what === 'string' ? what : what();
      throw new Error(`waited ${seconds} s in vain until ${text}`);
    }
    await delay(30);
  }
}
