import { setTimeout as delay } from 'node:timers/promises';
import { AccessDeniedError, type Datastore } from '@overland/datastore';
import { type Collector, createCollector, describeFinding } from '@overland/ipam';
import { COLLECTION_LEADER_KEY, CONTROLLERS_CONFIGURATION_KEY } from '@overland/model';
import type { Logger } from 'pino';
import { controllersDurationMs } from './controllers-duration.ts';
import { faultOf } from './datastore-reach.ts';
import { holdOffice } from './leadership.ts';

/** Something is put right when it has been wrong for so long: Calico's grace period for leaks. */
const DEFAULT_GRACE_MS = 15 * 60_000;
/** Between two looks at most: how late a change of the grace period may be noticed. */
const LONGEST_INTERVAL_MS = 5 * 60_000;
/** Looking lists the whole cluster. */
const SHORTEST_INTERVAL_MS = 10_000;

export interface CollectionOptions {
  /** Not one that is observed: whether this host may repair says nothing of its own work. */
  readonly datastore: Datastore;
  readonly nodeName: string;
  readonly log: Logger;
  /** How long after its death the host that collects is replaced; default 10. */
  readonly ttlSeconds?: number;
  /** Between two looks at least; default 10. */
  readonly shortestIntervalSeconds?: number;
}

/**
 * Gives back what hosts that are gone have left, and repairs claims and handles, if this host is elected to: of all agents
 * one does. Whoever takes over begins to wait anew.
 */
export async function collectIfElected(
  options: CollectionOptions,
  signal: AbortSignal,
): Promise<void> {
  const { datastore, nodeName, log, ttlSeconds = 10, shortestIntervalSeconds } = options;
  const shortestMs =
    shortestIntervalSeconds === undefined ? SHORTEST_INTERVAL_MS : shortestIntervalSeconds * 1000;
  const office = { key: COLLECTION_LEADER_KEY, holder: nodeName, ttlSeconds };
  const work = async (held: AbortSignal): Promise<void> => {
    log.info('this host looks for leaked addresses');
    const rounds = new CollectionRounds(datastore, log);
    while (!held.aborted) {
      await rounds.look();
      const waitMs = intervalMs(rounds.graceMs, shortestMs);
      await delay(waitMs, undefined, { signal: held }).catch(() => undefined);
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

/** Twice in a grace period, as in Calico, within limits. */
export function intervalMs(graceMs: number, shortestMs: number): number {
  if (graceMs === 0) return LONGEST_INTERVAL_MS;
  return Math.min(Math.max(graceMs / 2, shortestMs), LONGEST_INTERVAL_MS);
}

/**
 * `controllers.node.leakGracePeriod` of the stored KubeControllersConfiguration: how long something must have been wrong, in
 * milliseconds; 0: nothing is collected.
 */
export function leakGraceMs(stored: string | undefined): number {
  return controllersDurationMs(
    stored,
    ['controllers', 'node', 'leakGracePeriod'],
    DEFAULT_GRACE_MS,
  );
}

/** One look after the other, each with the grace period that the operator has set by then. */
class CollectionRounds {
  /** Milliseconds; 0: nothing is collected. */
  graceMs = DEFAULT_GRACE_MS;
  readonly #datastore: Datastore;
  readonly #log: Logger;
  #collector: Collector;

  constructor(datastore: Datastore, log: Logger) {
    this.#datastore = datastore;
    this.#log = log;
    this.#collector = this.#newCollector();
  }

  async look(): Promise<void> {
    try {
      const stored = await this.#datastore.get(CONTROLLERS_CONFIGURATION_KEY);
      this.#setGrace(leakGraceMs(stored?.value));
      if (this.graceMs === 0) return;
      const { repaired } = await this.#collector.collect();
      for (const finding of repaired) {
        this.#log.warn({ finding: describeFinding(finding) }, 'repaired');
      }
    } catch (error) {
      if (error instanceof AccessDeniedError || faultOf(error) === undefined) throw error;
      this.#log.warn({ err: error }, 'leaked addresses could not be looked for; will retry');
    }
  }

  /** With another grace period, whatever was seen waits anew. */
  #setGrace(graceMs: number): void {
    if (graceMs === this.graceMs) return;
    this.graceMs = graceMs;
    this.#collector = this.#newCollector();
    this.#log.info(
      { graceSeconds: graceMs / 1000 },
      graceMs === 0 ? 'leaked addresses are kept for good' : 'another grace period for leaks',
    );
  }

  #newCollector(): Collector {
    const graceSeconds = this.graceMs / 1000;
    return createCollector({ datastore: this.#datastore, now: () => new Date(), graceSeconds });
  }
}
