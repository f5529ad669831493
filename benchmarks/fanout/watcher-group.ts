import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Datastore } from '@overland/datastore';
import { Latencies } from './latencies.ts';
import { COMMON_PREFIX, END, firstKey, hostPrefix, nowMicros, type Scale } from './layout.ts';
import type { FromWatchers } from './watchers.ts';

/** One transaction holds at most 128 operations. */
const BATCH = 100;

/** What the watches of one kind have heard. Milliseconds, rounded up. */
interface Heard {
  readonly deliveries: number;
  readonly 'p50 ms': number;
  readonly 'p99 ms': number;
  readonly 'p99.9 ms': number;
  readonly 'most ms': number;
}

/** Watching connections in processes of their own; ended when it leaves scope. */
export interface WatcherGroup extends AsyncDisposable {
  /** Until every watch had listed its range. */
  readonly syncSeconds: number;
  /** From then on, until every watch had heard of a change. */
  readonly watchSeconds: number;
  /** Waits until every connection has heard the last change, and adds up. */
  finish(): Promise<{
    readonly own: Heard;
    readonly common: Heard;
    readonly deliveries: number;
  }>;
}

/** Starts the processes, and waits until every watch delivers. */
export async function watchFromProcesses(
  scale: Scale,
  endpoint: string,
  store: Datastore,
): Promise<WatcherGroup> {
  const started = performance.now();
  const share = Math.ceil(scale.connections / scale.processes);
  const children = Array.from({ length: scale.processes }, (_, i) => {
    const range = [i * share, Math.min((i + 1) * share, scale.connections)].map(String);
    return fork(join(import.meta.dirname, 'watchers.ts'), [endpoint, ...range], {
      execArgv: ['--conditions=@overland/source'],
    });
  });
  await Promise.all(children.map((child) => next(child)));
  const synced = performance.now();
  const watching = Promise.all(children.map((child) => next(child)));
  await writeFirst(store, scale);
  await watching;
  return {
    syncSeconds: (synced - started) / 1000,
    watchSeconds: (performance.now() - synced) / 1000,
    async finish() {
      const reports = children.map((child) => next(child));
      const operation = { type: 'put', key: END, value: `${nowMicros()} ` } as const;
      await store.transact({ conditions: [], operations: [operation] });
      const [own, common] = [new Latencies(), new Latencies()];
      for (const report of await Promise.all(reports)) {
        if (report.type !== 'heard') throw new Error('watchers said something else');
        for (const entry of report.own) own.add(...entry);
        for (const entry of report.common) common.add(...entry);
      }
      return { own: heard(own), common: heard(common), deliveries: own.total + common.total };
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        const exit = once(child, 'exit');
        if (child.kill()) await exit;
      }
    },
  };
}

async function writeFirst(store: Datastore, { connections }: Scale): Promise<void> {
  const prefixes = [COMMON_PREFIX, ...Array.from({ length: connections }, (_, i) => hostPrefix(i))];
  for (let i = 0; i < prefixes.length; i += BATCH) {
    const operations = prefixes
      .slice(i, i + BATCH)
      .map((prefix) => ({ type: 'put', key: firstKey(prefix), value: '' }) as const);
    await store.transact({ conditions: [], operations });
  }
}

async function next(child: ChildProcess): Promise<FromWatchers> {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('watchers have ended')));
  ended.catch(() => undefined);
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [FromWatchers];
  return message;
}

function heard(latencies: Latencies): Heard {
  return {
    deliveries: latencies.total,
    'p50 ms': latencies.percentile(0.5),
    'p99 ms': latencies.percentile(0.99),
    'p99.9 ms': latencies.percentile(0.999),
    'most ms': latencies.percentile(1),
  };
}
