import { setTimeout as delay } from 'node:timers/promises';
import { AccessDeniedError, type Datastore } from '@overland/datastore';
import { type Collector, createCollector, describeFinding } from '@overland/ipam';
import { COLLECTION_LEADER_KEY } from '@overland/model';
import type { Logger } from 'pino';
import { faultOf } from './datastore-reach.ts';
import { holdOffice } from './leadership.ts';

/** Something is put right when it has been wrong for so long, seconds: Calico's grace period for leaks. */
const GRACE_SECONDS = 900;
/** Between two looks, seconds. */
const INTERVAL_SECONDS = 300;

export interface CollectionOptions {
  /** Not one that is observed: whether this host may repair says nothing of its own work. */
  readonly datastore: Datastore;
  readonly nodeName: string;
  readonly log: Logger;
  /** How long after its death the host that collects is replaced; default 10. */
  readonly ttlSeconds?: number;
  readonly graceSeconds?: number;
  readonly intervalSeconds?: number;
}

/**
 * Gives back what hosts that are gone have left, and repairs claims and handles, if this host is elected to: of all agents
 * one does. Whoever takes over begins to wait anew.
 */
export async function collectIfElected(
  options: CollectionOptions,
  signal: AbortSignal,
): Promise<void> {
  const { datastore, nodeName, log, ttlSeconds = 10, graceSeconds = GRACE_SECONDS } = options;
  const intervalMs = (options.intervalSeconds ?? INTERVAL_SECONDS) * 1000;
  const office = { key: COLLECTION_LEADER_KEY, holder: nodeName, ttlSeconds };
  const work = async (held: AbortSignal): Promise<void> => {
    log.info('this host looks for leaked addresses');
    const collector = createCollector({ datastore, now: () => new Date(), graceSeconds });
    while (!held.aborted) {
      await collectOnce(collector, log);
      await delay(intervalMs, undefined, { signal: held }).catch(() => undefined);
    }
  };
  try {
    await holdOffice(datastore, office, work, signal);
  } catch (error) {
    if (!(error instanceof AccessDeniedError)) throw error;
    log.warn(
      { err: error },
      "this host may not repair what others have left: another must, or 'overland ipam check' and 'release'",
    );
  }
}

async function collectOnce(collector: Collector, log: Logger): Promise<void> {
  try {
    const { repaired } = await collector.collect();
    for (const finding of repaired) log.warn({ finding: describeFinding(finding) }, 'repaired');
  } catch (error) {
    if (error instanceof AccessDeniedError || faultOf(error) === undefined) throw error;
    log.warn({ err: error }, 'leaked addresses could not be looked for; will retry');
  }
}
