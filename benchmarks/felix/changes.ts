import { setTimeout as delay } from 'node:timers/promises';
import type { AnyResource } from '@overland/model';
import { percentile } from '../bgp/statistics.ts';
import {
  addressIn,
  admitting,
  holdings,
  networkSet,
  otherEndpoint,
  policyOf,
  put,
  putAll,
  times,
} from './host/cluster.ts';
import { Generations } from './host/generations.ts';
import { workloadLinks } from './host/links.ts';
import { policyHost, programmed } from './host/policy-host.ts';

/**
 * How long after it is committed to etcd is a change in the kernel? A real etcd and a real agent; from the answer of etcd to
 * the one that writes until the kernel tells of the new generation of its rules. As root:
 *
 *   scripts/isolated node --conditions=@overland/source benchmarks/felix/changes.ts [CHANGES [FLEET]]
 */

const CHANGES = Number(process.argv[2] ?? 200);
/** Endpoints of other hosts in one set. */
const FLEET = Number(process.argv[3] ?? 100_000);
const NETS = Math.ceil(FLEET / 10);
/** Among which the nets are divided; and one set has as many alone. */
const NET_SETS = 5;
const SIZE = { endpoints: 250, policies: 20, sets: 100, members: 100 };
/** Between changes, milliseconds: from that to twice as much. */
const PAUSE_MS = 20;
const BAR = { p50: 4, p99: 15 };

const nets = (count: number, from: number, first: number): string[] =>
  times(count, (i) => `${addressIn(first, (from + i) * 256)}/24`);
const perSet = Math.ceil(NETS / NET_SETS);
const netSet = (i: number, extra: readonly string[] = []): AnyResource =>
  networkSet(`nets-${i}`, [...nets(perSet, i * perSet, 30), ...extra], 'nets');
const largeSet = (extra: readonly string[] = []): AnyResource =>
  networkSet('large', [...nets(NETS, 0, 60), ...extra]);

/** Each `make(i)` changes one thing. */
const ROWS: readonly (readonly [row: string, make: (i: number) => AnyResource])[] = [
  [`a rule of a policy of ${SIZE.endpoints} endpoints`, (i) => policyOf(7, SIZE.sets, 1000 + i)],
  [`a workload into a set of ${FLEET}`, (i) => otherEndpoint(FLEET + i)],
  [
    `a CIDR among ${NETS} in ${NET_SETS} network sets`,
    (i) => netSet(i % NET_SETS, [`${addressIn(50, i * 256)}/24`]),
  ],
  [`a CIDR among ${NETS} in one network set`, (i) => largeSet([`${addressIn(51, i * 256)}/24`])],
];

await using host = await policyHost();
await using _links = await workloadLinks(SIZE.endpoints);
await putAll(host.datastore, [
  ...holdings(SIZE),
  admitting('from-fleet', "group == 'fleet'"),
  admitting('from-nets', "kind == 'nets'"),
  admitting('from-large', "kind == 'large'"),
  ...times(NET_SETS, (i) => netSet(i)),
  largeSet(),
  ...times(FLEET, otherEndpoint),
]);
host.start();
await programmed(host, SIZE.endpoints);
using generations = new Generations();
await settled();
const table = [];
for (const [row, make] of ROWS) table.push(await measure(row, make));
console.table(table);

/** Until nothing has been written for a while. */
async function settled(): Promise<void> {
  for (let before = -1; before !== generations.count; ) {
    before = generations.count;
    await delay(1000);
  }
}

async function measure(row: string, make: (i: number) => AnyResource) {
  const [latencies, withCommit]: [number[], number[]] = [[], []];
  for (let i = 0; i < CHANGES; i++) {
    const operations = [put(make(i))];
    const programmedAt = generations.next(10_000);
    const asked = performance.now();
    const committing = host.datastore.transact({ conditions: [], operations });
    const committed = committing.then(() => performance.now());
    const [at, commit] = await Promise.all([programmedAt, committed]);
    // The kernel may be told before the writer is.
    latencies.push(Math.max(0, at - commit));
    withCommit.push(at - asked);
    await delay(PAUSE_MS * (1 + Math.random()));
  }
  const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
  return {
    row,
    n: latencies.length,
    'p50, ms': p50.toFixed(2),
    'p99, ms': p99.toFixed(2),
    'with the commit: p50': percentile(withCommit, 0.5).toFixed(2),
    p99: percentile(withCommit, 0.99).toFixed(2),
    [`p50 ≤ ${BAR.p50}, p99 ≤ ${BAR.p99}`]: p50 <= BAR.p50 && p99 <= BAR.p99 ? 'met' : 'missed',
  };
}
