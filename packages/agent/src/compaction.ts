import {
  AccessDeniedError,
  CompactedError,
  type Datastore,
  type Revision,
} from '@overland/datastore';
import { COMPACTION_LEADER_KEY } from '@overland/model';
import type { Logger } from 'pino';
import { CompactionPeriod } from './compaction-period.ts';
import { faultOf } from './datastore-reach.ts';
import { holdOffice } from './leadership.ts';

export interface CompactionOptions {
  /** Not one that is observed: whether this host may compact says nothing of its own work. */
  readonly datastore: Datastore;
  readonly nodeName: string;
  readonly log: Logger;
  /** How long after its death the host that compacts is replaced; default 10. */
  readonly ttlSeconds?: number;
}

/**
 * Compacts etcd by period, if this host is elected to: of all agents one does. What is forgotten is at least one period
 * old, so that a watch which was away for less goes on where it was.
 */
export async function compactByPeriod(
  { datastore, nodeName, log, ttlSeconds = 10 }: CompactionOptions,
  signal: AbortSignal,
): Promise<void> {
  const office = { key: COMPACTION_LEADER_KEY, holder: nodeName, ttlSeconds };
  const work = async (held: AbortSignal): Promise<void> => {
    log.info('this host compacts etcd');
    await compactWhileHeld(datastore, log, held);
    if (!signal.aborted) log.info('this host no longer compacts etcd');
  };
  try {
    await holdOffice(datastore, office, work, signal);
  } catch (error) {
    if (!(error instanceof AccessDeniedError)) throw error;
    log.warn(
      { err: error },
      'etcd does not let this host compact it: another must, or its own settings',
    );
  }
}

async function compactWhileHeld(
  datastore: Datastore,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const period = new CompactionPeriod();
  const following = period.follow(datastore, ended).finally(() => stop.abort());
  following.catch(() => undefined); // thrown below, when the work has ended
  let before: Revision | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;
  try {
    while (!ended.aborted) {
      const dueInMs = period.ms === 0 ? undefined : lastAt + period.ms - performance.now();
      if (dueInMs === undefined || dueInMs > 0) {
        await period.changed(dueInMs, ended);
        continue;
      }
      lastAt = performance.now();
      before = await compactOnce(datastore, before, log);
    }
  } finally {
    stop.abort();
    await following;
  }
}

/** @returns The revision now: what the next turn forgets everything before. */
async function compactOnce(
  datastore: Datastore,
  before: Revision | undefined,
  log: Logger,
): Promise<Revision | undefined> {
  try {
    if (before !== undefined) {
      await datastore.compact(before);
      log.debug({ revision: before }, 'compacted etcd');
    }
    return (await datastore.list(COMPACTION_LEADER_KEY, { limit: 1 })).revision;
  } catch (error) {
    if (error instanceof CompactedError) return undefined; // restored from a backup meanwhile
    if (faultOf(error) === undefined) throw error;
    log.warn({ err: error }, 'etcd could not be compacted; will retry');
    return before;
  }
}
