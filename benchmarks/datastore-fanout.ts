import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type Datastore, openDatastore } from '@overland/datastore';
import { startEtcd, startProxy } from './fanout/etcd-under-load.ts';
import { COMMON_PREFIX, hostKey, type Scale } from './fanout/layout.ts';
import { type WatcherGroup, watchFromProcesses } from './fanout/watcher-group.ts';
import { writeChanges } from './fanout/write-changes.ts';

/**
 * How soon do the watches of many hosts hear of a change, and what does that cost etcd?
 *
 *   node --conditions=@overland/source benchmarks/datastore-fanout.ts [--connections 2000] [--keys 100000]
 *     [--percent 1] [--common 1] [--seconds 30] [--processes 4] [--proxy]
 *
 * Each connection is a host's: one HTTP/2 connection with two watches. One is of the host's own range, where `keys /
 * connections` keys are; `--percent` of all keys change in a second, each in one host's range. The other is of a range
 * that all hosts watch, as they watch pools, peers and Nodes: `--common` changes a second, each delivered to every
 * connection. With `--proxy` a second round goes through `etcd grpc-proxy`. Delivery is from before the call that
 * writes until the change is with the reader of the watch. etcd, proxy, writer and watchers share this machine.
 */
const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '2000' },
    keys: { type: 'string', default: '100000' },
    percent: { type: 'string', default: '1' },
    common: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '30' },
    processes: { type: 'string', default: '4' },
    proxy: { type: 'boolean', default: false },
  },
});
const scale: Scale = {
  connections: Number(values.connections),
  keys: Number(values.keys),
  changesPerSecond: (Number(values.keys) * Number(values.percent)) / 100,
  commonPerSecond: Number(values.common),
  seconds: Number(values.seconds),
  processes: Number(values.processes),
};

/** One transaction holds at most 128 operations. */
const BATCH = 100;

async function preload(store: Datastore): Promise<void> {
  const keys = Array.from({ length: scale.keys }, (_, i) => hostKey(scale, i));
  keys.push(`${COMMON_PREFIX}0`);
  for (let i = 0; i < keys.length; i += BATCH) {
    const operations = keys
      .slice(i, i + BATCH)
      .map((key) => ({ type: 'put', key, value: '' }) as const);
    await store.transact({ conditions: [], operations });
  }
}

async function round(name: string, store: Datastore, through: string): Promise<void> {
  await using watchers: WatcherGroup = await watchFromProcesses(scale, through, store);
  const before = { etcd: etcd.usage(), proxy: proxy?.usage() };
  const written = await writeChanges(store, scale);
  const heard = await watchers.finish();
  const rows = [
    { what: 'own range', ...heard.own },
    { what: 'common range', ...heard.common },
  ];
  console.log(
    `\n${name}: ${scale.connections} connections, ${watchers.syncSeconds.toFixed(1)} s until all were in sync, ${watchers.watchSeconds.toFixed(1)} s more until all heard of changes`,
  );
  console.log(
    `${written.changes} changes in ${written.seconds.toFixed(1)} s (${Math.round(written.changes / written.seconds)}/s of ${Math.round(scale.changesPerSecond + scale.commonPerSecond)}/s), put p50 ${written.p50Ms} ms, p99 ${written.p99Ms} ms; ${Math.round(heard.deliveries / written.seconds)} deliveries/s`,
  );
  console.table(rows);
  for (const [what, process, start] of [
    ['etcd', etcd, before.etcd],
    ['grpc-proxy', proxy, before.proxy],
  ] as const) {
    if (!process || !start) continue;
    const { cpuSeconds, residentMb, peakMb } = process.usage();
    const share = ((cpuSeconds - start.cpuSeconds) / written.seconds) * 100;
    console.log(
      `${what}: ${share.toFixed(0)} % of a core, ${residentMb} MB resident, ${peakMb} MB at most`,
    );
  }
}

await using etcd = await startEtcd();
await using store = await openDatastore({
  type: 'etcd',
  endpoints: [etcd.endpoint],
  deadlineMs: 30_000,
});
await preload(store);
console.log(
  `${scale.keys} keys; ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}, Node ${process.versions.node}`,
);
await using proxy = values.proxy ? await startProxy(etcd.endpoint) : undefined;
await round('directly', store, etcd.endpoint);
if (proxy) await round('through etcd grpc-proxy', store, proxy.endpoint);
