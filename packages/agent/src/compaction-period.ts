import { setTimeout as delay } from 'node:timers/promises';
import type { Datastore } from '@overland/datastore';
import { CONTROLLERS_CONFIGURATION_KEY } from '@overland/model';
import { controllersDurationMs } from './controllers-duration.ts';

const DEFAULT_MS = 10 * 60_000;
/** Compacting more often than this serves nobody, and costs etcd more than it saves. */
const SHORTEST_MS = 1000;
/** The longest that a timer of Node takes. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** How often etcd is to be compacted, as the operator has it now. */
export class CompactionPeriod {
  #ms = 0;
  #stored: string | undefined;
  #changed = new AbortController();

  /** Milliseconds; 0: not at all, or not known yet. */
  get ms(): number {
    return this.#ms;
  }

  /** Keeps it current until `signal` aborts. */
  async follow(datastore: Datastore, signal: AbortSignal): Promise<void> {
    let isSynced = false;
    for await (const change of datastore.watch(CONTROLLERS_CONFIGURATION_KEY, signal)) {
      isSynced ||= change.type === 'synced';
      if (change.type === 'put' && change.entry.key === CONTROLLERS_CONFIGURATION_KEY) {
        this.#stored = change.entry.value;
      }
      if (change.type === 'delete' && change.key === CONTROLLERS_CONFIGURATION_KEY) {
        this.#stored = undefined;
      }
      if (isSynced) this.#set(compactionPeriodMs(this.#stored));
    }
  }

  /** Waits until it changes, `signal` aborts, or some time has passed. */
  async changed(waitMs: number | undefined, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#changed.signal]);
    const ms = Math.min(waitMs ?? LONGEST_WAIT_MS, LONGEST_WAIT_MS);
    await delay(ms, undefined, { signal: either }).catch(() => undefined);
  }

  #set(ms: number): void {
    if (ms === this.#ms) return;
    this.#ms = ms;
    this.#changed.abort();
    this.#changed = new AbortController();
  }
}

/**
 * `etcdV3CompactionPeriod` of the stored KubeControllersConfiguration: how often etcd is compacted, in milliseconds; 0:
 * not at all. What cannot be read counts as the default, as an object that is absent does.
 */
export function compactionPeriodMs(stored: string | undefined): number {
  const period = controllersDurationMs(stored, ['etcdV3CompactionPeriod'], DEFAULT_MS);
  return period === 0 ? 0 : Math.max(period, SHORTEST_MS);
}
