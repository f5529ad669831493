import { setTimeout as delay } from 'node:timers/promises';
import { ConflictError, type Datastore, LeaseError, UnavailableError } from '@overland/datastore';

/** Something that one process of the cluster does at a time. */
export interface Office {
  /** Present while somebody holds the office. */
  readonly key: string;
  /** Who takes it, for whoever looks at the key. */
  readonly holder: string;
  /** How long it stays taken after its holder has died. */
  readonly ttlSeconds: number;
}

/** Waited, in part, before an office that has become free is asked for: everybody hears of it at once. */
const SPREAD_MS = 500;
const RETRY_MS = 1000;

/**
 * Waits for the office, does its work while it is held, and waits again when it is lost, until `signal` aborts.
 *
 * @param work Ends when its signal aborts.
 * @throws {AccessDeniedError} If this client may not hold it.
 */
export async function holdOffice(
  datastore: Datastore,
  office: Office,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await untilAbsent(datastore, office.key, signal);
      await delay(SPREAD_MS * Math.random(), undefined, { signal });
      await holdOnce(datastore, office, work, signal);
    } catch (error) {
      if (signal.aborted) return;
      const isPassing =
        error instanceof ConflictError ||
        error instanceof LeaseError ||
        error instanceof UnavailableError;
      if (!isPassing) throw error;
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function holdOnce(
  datastore: Datastore,
  { key, holder, ttlSeconds }: Office,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const lease = await datastore.lease(ttlSeconds);
  try {
    await datastore.transact({
      conditions: [{ type: 'absent', key }],
      operations: [{ type: 'put', key, value: JSON.stringify({ holder }), lease: lease.id }],
    });
    await work(AbortSignal.any([signal, lease.lost]));
  } finally {
    // Free for the next at once; if that cannot be said now, the lease runs out.
    await lease.revoke().catch(() => undefined);
  }
}

async function untilAbsent(datastore: Datastore, key: string, signal: AbortSignal): Promise<void> {
  let isPresent = false;
  for await (const change of datastore.watch(key, signal)) {
    if (change.type === 'put') isPresent ||= change.entry.key === key;
    else if (change.type === 'delete') isPresent &&= change.key !== key;
    // A `put` is not the end of the listing.
    if (change.type !== 'put' && !isPresent) return;
  }
}
