import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PolicyCalculation, type PolicyChange } from '@overland/felix/policy';
import { parseJson, readResource } from '@overland/model';
import { percentile } from '../bgp/statistics.ts';
import { type ClusterSize, endpointOf, NODE, policyOf, profiles } from './calc-cluster.ts';

// What a host's calculation of policy costs in a large cluster: at first, and when one thing changes. One process per
// setting: memory is part of it.
//   node --conditions=@overland/source benchmarks/felix/calc.ts [ENDPOINTS] [POLICIES] [unique]

const size: ClusterSize = {
  endpoints: Number(process.argv[2] ?? 100_000),
  policies: Number(process.argv[3] ?? 5_000),
  local: 100,
  isEachUnique: process.argv[4] === 'unique',
};
/** Of `step`: about what takes a few milliseconds. */
const UNITS = 5_000;
const MEMBERS = 50_000;
const CHANGES = Math.floor((size.endpoints - size.local) / 50);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);

const calculation = new PolicyCalculation(NODE);
const totals = { sets: 0, members: 0, lists: 0, endpoints: 0, messages: 0 };
const longest = { update: 0, step: 0, flush: 0 };

/** Runs a piece of work that nothing else can come between. */
function slice<T>(part: keyof typeof longest, work: () => T): T {
  const began = process.threadCpuUsage();
  const result = work();
  const { user, system } = process.threadCpuUsage(began);
  longest[part] = Math.max(longest[part], (user + system) / 1000);
  return result;
}

function count({ sets, lists, endpoints }: PolicyChange): void {
  totals.messages++;
  totals.sets += sets.size;
  totals.lists += lists.size;
  totals.endpoints += endpoints.size;
  for (const set of sets.values()) if (set && 'members' in set) totals.members += set.members.size;
}

/** From the first resource to the last change, with decoding or without. */
function loadAll(): number {
  let spentReading = 0;
  // As the agent does: memory is that of what comes out of JSON.
  const put = (written: ReturnType<typeof endpointOf | typeof policyOf>) => {
    const text = JSON.stringify(written);
    const began = performance.now();
    const resource = readResource(written.kind, parseJson(text));
    spentReading += performance.now() - began;
    slice('update', () => calculation.update(resource.kind, resource.metadata, resource));
  };
  for (const each of profiles()) calculation.update('Profile', each.metadata, each);
  for (let i = 0; i < size.policies; i++) put(policyOf(i, size));
  for (let i = 0; i < size.endpoints; i++) put(endpointOf(i, size));
  while (slice('step', () => calculation.step(UNITS)));
  do count(slice('flush', () => calculation.flush({ synced: true, members: MEMBERS })));
  while (calculation.hasMore);
  return spentReading;
}

/** Milliseconds of each change until it is told, and of the thread's own time. */
function measure(change: (i: number) => void): Record<string, string> {
  const latencies: number[] = [];
  const times: number[] = [];
  for (let i = 0; i < CHANGES; i++) {
    const began = performance.now();
    const before = process.threadCpuUsage();
    change(i);
    const { sets, lists, endpoints } = calculation.flush({ synced: true });
    latencies.push(performance.now() - began);
    const { user, system } = process.threadCpuUsage(before);
    times.push((user + system) / 1000);
    if (sets.size + lists.size + endpoints.size === 0)
      throw new Error(`change ${i} changed nothing`);
  }
  const of = (values: readonly number[], share: number) => percentile(values, share).toFixed(3);
  return {
    p50: of(latencies, 0.5),
    p99: of(latencies, 0.99),
    'CPU p99': of(times, 0.99),
    'most CPU': of(times, 1),
  };
}

const began = performance.now();
const cpuBegan = process.cpuUsage();
const spentReading = loadAll();
const cpu = process.cpuUsage(cpuBegan);
const initial = performance.now() - began;
const { rss } = process.memoryUsage();
collectGarbage();
const heap = process.memoryUsage().heapUsed;
console.log(size, totals);
console.log({
  'initial, s': ((initial - spentReading) / 1000).toFixed(2),
  'decoding besides, s': (spentReading / 1000).toFixed(2),
  'CPU of both, s': ((cpu.user + cpu.system) / 1e6).toFixed(2),
  'longest update, step, flush, ms of CPU': Object.values(longest).map((each) => each.toFixed(1)),
  'resident after it, MiB': mebibytes(rss),
  'peak resident, MiB': Math.round(process.resourceUsage().maxRSS / 1024),
  'heap in use, MiB': mebibytes(heap),
});
/** Each another one; none of those apps that no set selects by role. */
const elsewhere = (i: number) => size.local + 50 * i + 7;
const own = (i: number) => 2 + (i % 40);
const relabel = (i: number, at: number) => {
  const endpoint = endpointOf(at, size, 1 + (i % 3));
  calculation.update(endpoint.kind, endpoint.metadata, endpoint);
};
console.table({
  'label of an endpoint elsewhere': measure((i) => relabel(i, elsewhere(i))),
  'label of an own endpoint': measure((i) => relabel(Math.floor(i / 40), own(i))),
  'rule of a policy': measure((i) => {
    const policy = policyOf(i % size.policies, size, 1000 + i);
    calculation.update(policy.kind, policy.metadata, policy);
  }),
});
