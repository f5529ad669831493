import { setTimeout as delay } from 'node:timers/promises';
import { type Datastore, UnavailableError } from '@overland/datastore';
import type { Logger } from 'pino';

const EVERY_MS = 10_000;

/**
 * Asks the datastore for one key now and then. Watches survive an outage in silence; somebody must be able to see
 * one before the next container fails to start.
 *
 * @param report Told after each question: why there was no answer, or `undefined`.
 */
export async function probeDatastore(
  datastore: Datastore,
  key: string,
  { log, report }: { readonly log: Logger; readonly report: (fault: string | undefined) => void },
  signal: AbortSignal,
): Promise<void> {
  let isReachable = true;
  while (!signal.aborted) {
    const fault = await ask(datastore, key);
    report(fault);
    if (isReachable && fault !== undefined) log.warn({ fault }, 'datastore does not answer');
    if (!isReachable && fault === undefined) log.info('datastore answers again');
    isReachable = fault === undefined;
    await delay(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function ask(datastore: Datastore, key: string): Promise<string | undefined> {
  try {
    await datastore.get(key);
    return undefined;
  } catch (error) {
    if (error instanceof UnavailableError) return error.message;
    throw error;
  }
}
