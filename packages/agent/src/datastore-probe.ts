import { setTimeout as delay } from 'node:timers/promises';
import type { Datastore } from '@overland/datastore';
import type { HostClaim } from '@overland/model';
import type { Logger } from 'pino';
import { type DatastoreReach, faultOf } from './datastore-reach.ts';
import { claimNodeName, renewClaim } from './host-claim.ts';

const EVERY_MS = 5000;

export interface Probe {
  readonly nodeName: string;
  readonly claim: HostClaim;
  /** Of the datastore that is asked. */
  readonly reach: DatastoreReach;
  readonly log: Logger;
}

/**
 * Asks now and then whether the node name is still this host's. Watches survive an outage in silence; somebody must
 * be able to see one before the next container fails to start. An outage has a name after {@link EVERY_MS} and the
 * deadline of one call, at the latest.
 *
 * @throws {NodeNameTakenError} If another host has got the name.
 */
export async function probeDatastore(
  datastore: Datastore,
  { nodeName, claim, reach, log }: Probe,
  signal: AbortSignal,
): Promise<void> {
  let known: string | undefined;
  while (!signal.aborted) {
    try {
      // Needs the right to write but writes nothing, unless somebody has removed the claim.
      await claimNodeName(datastore, nodeName, claim);
      if (reach.refusesWrites) await renewClaim(datastore, nodeName, claim);
    } catch (error) {
      if (faultOf(error) === undefined) throw error;
    }
    const { fault } = reach;
    if (known === undefined && fault !== undefined)
      log.warn({ fault }, 'datastore does not do what it is asked');
    if (known !== undefined && fault === undefined) log.info('datastore answers again');
    known = fault;
    await delay(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
