import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Datastore, type DatastoreOptions, openDatastore } from '@overland/datastore';

// How many writes and reads a datastore takes per second, and how soon another client hears of a change.
//   node --conditions=@overland/source benchmarks/datastore.ts [ENDPOINT]
// With an etcd endpoint that one is measured (its keys under /bench/ are overwritten), else SQLite on a file in /tmp.

const VALUE = 'x'.repeat(500);
const SECONDS = 2;

interface Row {
  readonly operation: string;
  readonly 'per second': number;
  readonly 'p50 ms': number;
  readonly 'p99 ms': number;
}

function row(operation: string, latencies: number[], elapsedMs: number): Row {
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    Number((latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2));
  const rate = Math.round((latencies.length / elapsedMs) * 1000);
  return { operation, 'per second': rate, 'p50 ms': at(0.5), 'p99 ms': at(0.99) };
}

/** Runs `work` for some seconds, so many at a time. */
async function measure(
  operation: string,
  inFlight: number,
  work: (worker: number, n: number) => Promise<unknown>,
): Promise<Row> {
  const latencies: number[] = [];
  const started = performance.now();
  const loop = async (worker: number): Promise<void> => {
    for (let n = 0; performance.now() - started < SECONDS * 1000; n++) {
      const before = performance.now();
      await work(worker, n);
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, worker) => loop(worker)));
  return row(operation, latencies, performance.now() - started);
}

function put(store: Datastore, key: string, value: string): Promise<unknown> {
  return store.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
}

/** From before a write until another client's watch has it. */
async function measureWatch(writer: Datastore, reader: Datastore): Promise<Row> {
  const stop = new AbortController();
  const changes = reader.watch('/bench/w', stop.signal)[Symbol.asyncIterator]();
  while ((await changes.next()).value?.type !== 'synced');
  const latencies: number[] = [];
  const started = performance.now();
  for (let i = 0; i < 500; i++) {
    const before = performance.now();
    await Promise.all([changes.next(), put(writer, '/bench/w', String(i))]);
    latencies.push(performance.now() - before);
  }
  const elapsed = performance.now() - started;
  stop.abort();
  return row('write until seen by another client', latencies, elapsed);
}

const directory = mkdtempSync(join(tmpdir(), 'overland-bench-'));
const endpoint = process.argv[2];
const options: DatastoreOptions =
  endpoint === undefined
    ? { type: 'sqlite', path: join(directory, 'overland.db') }
    : { type: 'etcd', endpoints: [endpoint] };
try {
  await using store = await openDatastore(options);
  await using other = await openDatastore(options);
  const rows: Row[] = [];
  for (const inFlight of [1, 16, 64]) {
    const work = (worker: number) => put(store, `/bench/${worker}`, VALUE);
    rows.push(await measure(`put, ${inFlight} in flight`, inFlight, work));
  }
  rows.push(await measure('get', 1, () => store.get('/bench/0')));
  rows.push(await measureWatch(store, other));
  console.table(rows);
} finally {
  rmSync(directory, { recursive: true });
}
