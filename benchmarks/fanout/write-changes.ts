import { setTimeout as delay } from 'node:timers/promises';
import type { Datastore } from '@overland/datastore';
import { Latencies } from './latencies.ts';
import { COMMON_PREFIX, hostKey, nowMicros, type Scale } from './layout.ts';

/** About what a WorkloadEndpoint takes. */
const PADDING = 'x'.repeat(500);
/** More than that in flight: etcd does not keep up, and the clock waits. */
const MOST_IN_FLIGHT = 500;
const TICK_MS = 5;

/** What was written. */
interface Written {
  readonly changes: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Changes keys at a steady rate. A change carries the time at which it was about to be written. */
export async function writeChanges(store: Datastore, scale: Scale): Promise<Written> {
  const latencies = new Latencies();
  const inFlight = new Set<Promise<void>>();
  const started = performance.now();
  const put = (key: string): void => {
    const at = nowMicros();
    const operation = { type: 'put', key, value: `${at} ${PADDING}` } as const;
    const call = store.transact({ conditions: [], operations: [operation] }).then(() => {
      inFlight.delete(call);
      latencies.add((nowMicros() - at) / 1000);
    });
    inFlight.add(call);
  };
  let [own, common] = [0, 0];
  for (;;) {
    const seconds = (performance.now() - started) / 1000;
    if (seconds >= scale.seconds) break;
    while (common < seconds * scale.commonPerSecond) {
      put(`${COMMON_PREFIX}${common++ % 50}`);
    }
    while (own < seconds * scale.changesPerSecond && inFlight.size < MOST_IN_FLIGHT) {
      // A prime step: every key has its turn, and neighbours in time are of different hosts.
      put(hostKey(scale, (own++ * 7919) % scale.keys));
    }
    await delay(TICK_MS);
  }
  await Promise.all(inFlight);
  return {
    changes: own + common,
    seconds: (performance.now() - started) / 1000,
    p50Ms: latencies.percentile(0.5),
    p99Ms: latencies.percentile(0.99),
  };
}
