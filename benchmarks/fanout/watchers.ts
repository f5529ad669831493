import { openDatastore } from '@overland/datastore';
import { Latencies } from './latencies.ts';
import { COMMON_PREFIX, END, firstKey, hostPrefix, nowMicros } from './layout.ts';

// A process of watching connections: `watchers.ts ENDPOINT FIRST LAST`, hosts FIRST up to and without LAST.

/** What it tells the process that started it. */
export type FromWatchers =
  /** Every watch has listed its range. */
  | { readonly type: 'synced' }
  /** Every watch has heard of the first change. */
  | { readonly type: 'watching' }
  /** Every connection has heard the last change. */
  | {
      readonly type: 'heard';
      readonly own: [milliseconds: number, count: number][];
      readonly common: [milliseconds: number, count: number][];
    };

const [endpoint = '', first, last] = process.argv.slice(2);
const hosts = Array.from({ length: Number(last) - Number(first) }, (_, i) => Number(first) + i);
const [own, common] = [new Latencies(), new Latencies()];
const never = new AbortController().signal;
/** Connections opened at a time: a fleet does not start in one instant either. */
const OPENED_AT_A_TIME = 50;

function tell(message: FromWatchers): void {
  process.send?.(message);
}

/** @returns Resolves when in sync. */
async function follow(
  store: Awaited<ReturnType<typeof openDatastore>>,
  prefix: string,
  latencies: Latencies,
): Promise<void> {
  const synced = Promise.withResolvers<void>();
  const run = async (): Promise<void> => {
    let isSynced = false;
    for await (const change of store.watch(prefix, never)) {
      if (change.type === 'synced') {
        isSynced = true;
        synced.resolve();
      }
      if (!isSynced || change.type !== 'put') continue;
      if (change.entry.key === firstKey(prefix)) {
        heardFirst();
        continue;
      }
      latencies.add((nowMicros() - Number.parseInt(change.entry.value, 10)) / 1000);
      if (change.entry.key === END) heardEnd();
    }
  };
  run().catch((error: unknown) => {
    throw error;
  });
  await synced.promise;
}

let silent = 2 * hosts.length;
function heardFirst(): void {
  if (--silent === 0) tell({ type: 'watching' });
}

let awaited = hosts.length;
function heardEnd(): void {
  if (--awaited > 0) return;
  tell({ type: 'heard', own: own.entries(), common: common.entries() });
}

for (let i = 0; i < hosts.length; i += OPENED_AT_A_TIME) {
  await Promise.all(
    hosts.slice(i, i + OPENED_AT_A_TIME).map(async (host) => {
      const store = await openDatastore({
        type: 'etcd',
        endpoints: [endpoint],
        deadlineMs: 60_000,
      });
      await follow(store, hostPrefix(host), own);
      await follow(store, COMMON_PREFIX, common);
    }),
  );
}
tell({ type: 'synced' });
