import type { OpenClient } from '../datastore/open-client.ts';

type Target = Pick<OpenClient, 'underLock' | 'place'> & AsyncDisposable;

/**
 * Opens what a transfer writes to. A dry run makes no file: one that is not there is compared with as if it were empty.
 *
 * @param open Told whether it may make a file.
 */
export async function openTarget(
  open: (mayCreate: boolean) => Promise<OpenClient>,
  dryRun: boolean,
): Promise<Target> {
  try {
    return await open(!dryRun);
  } catch (error) {
    const { MemoryDatastore, UnavailableError } = await import('@overland/datastore');
    if (!dryRun || !(error instanceof UnavailableError)) throw error;
    const underLock = new MemoryDatastore();
    return {
      underLock,
      place: 'a datastore that is not there yet',
      [Symbol.asyncDispose]: () => underLock[Symbol.asyncDispose](),
    };
  }
}
