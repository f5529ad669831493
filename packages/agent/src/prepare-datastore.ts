import { setTimeout as delay } from 'node:timers/promises';
import { type Datastore, initialiseCluster } from '@overland/datastore';
import type { AnyResource, HostClaim } from '@overland/model';
import type { Logger } from 'pino';
import { createBootstrap, createDefaultPools } from './bootstrap.ts';
import { faultOf } from './datastore-reach.ts';
import { claimNodeName } from './host-claim.ts';
import { type OwnNode, writeOwnNode } from './own-node.ts';
import type { Config } from './settings.ts';

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5000;

export interface Preparation {
  readonly config: Config;
  readonly claim: HostClaim;
  readonly own: OwnNode;
  readonly manifests: readonly AnyResource[];
  readonly log: Logger;
}

/**
 * What a host does in the datastore before it reads from it: claims its name, creates what is to be created and what
 * every cluster has, and writes its Node. Tries until the datastore answers: also one that refuses this client,
 * because a host with a wrong password must still forward, and start from its snapshot.
 *
 * @throws {NodeNameTakenError} If another host has the name.
 */
export async function prepareDatastore(
  datastore: Datastore,
  preparation: Preparation,
  signal: AbortSignal,
): Promise<void> {
  const { config, claim, own, manifests, log } = preparation;
  await retryWhileUnavailable(log, signal, async () => {
    await claimNodeName(datastore, config.nodeName, claim);
    const made = await initialiseCluster(datastore);
    if (made.length > 0) log.info({ made }, 'initialised the cluster');
    await createBootstrap(datastore, manifests, log);
    await createDefaultPools(datastore, config);
    await writeOwnNode(datastore, own);
  });
}

async function retryWhileUnavailable(
  log: Logger,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 2, LAST_RETRY_MS)) {
    try {
      return await work();
    } catch (error) {
      if (faultOf(error) === undefined) throw error;
      log.warn({ err: error }, 'datastore cannot be used; will retry');
    }
    await delay(waitMs, undefined, { signal });
  }
}
