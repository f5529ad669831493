import { setTimeout as delay } from 'node:timers/promises';
import { openKernel } from '@overland/linux';
import { until } from '../../tests/interop/support/until.ts';
import { median } from '../bgp/statistics.ts';
import { holdings, putAll, times } from './host/cluster.ts';
import { Generations } from './host/generations.ts';
import { workloadLinks } from './host/links.ts';
import { type PolicyHost, policyHost, programmed } from './host/policy-host.ts';

/**
 * What does a restart of the agent write on a host whose kernel is as it should be, and how long does it take until it knows? As
 * root:
 *
 *   scripts/isolated node --conditions=@overland/source benchmarks/felix/restart.ts [ROUNDS [ENDPOINTS]]
 */

const ROUNDS = Number(process.argv[2] ?? 5);
const SIZE = {
  endpoints: Number(process.argv[3] ?? 250),
  policies: 20,
  sets: 100,
  members: 1000,
};
const BAR_MS = 1000;
/** After it is in step: what would be written late is seen. */
const QUIET_MS = 2000;

await using host = await policyHost();
await using _links = await workloadLinks(SIZE.endpoints);
await putAll(host.datastore, holdings(SIZE));
host.start();
await inStep(host);
// Blocks are claimed after it, and their routes are written then.
await until('nothing is written any more', async () => (await told(quiet)).length === 0, 60);
const durations: number[] = [];
const written: string[] = [];
for (let round = 0; round < ROUNDS; round++) {
  await host.stop('SIGTERM');
  const during = await told(async () => {
    const began = host.start();
    await inStep(host);
    durations.push(performance.now() - began);
    await quiet();
  });
  written.push(...during);
}
console.table([
  {
    restarts: ROUNDS,
    'until in step, ms, median': median(durations).toFixed(0),
    most: Math.max(...durations).toFixed(0),
    [`≤ ${BAR_MS}`]: median(durations) <= BAR_MS ? 'met' : 'missed',
    'writes to the kernel': written.length,
    'no write': written.length === 0 ? 'met' : 'missed',
  },
]);
for (const what of written) console.log(what);

function quiet(): Promise<void> {
  return delay(QUIET_MS);
}

/** Until every endpoint is programmed, and the whole kernel has been read. */
async function inStep(of: PolicyHost): Promise<void> {
  await programmed(of, SIZE.endpoints, ({ local, readBackAgeMs }) => {
    return local.synced && local.waiting.length === 0 && readBackAgeMs !== undefined;
  });
}

/** Changes of rules, links, addresses, routes and next hops that the kernel tells of meanwhile. */
async function told(work: () => Promise<void>): Promise<string[]> {
  using generations = new Generations();
  await using kernel = openKernel();
  const stop = new AbortController();
  const events: string[] = [];
  const listening = (async () => {
    for await (const event of kernel.monitor.events(stop.signal)) {
      // Neighbours come and go by themselves.
      if (event.type !== 'neighbour') events.push(JSON.stringify(event));
    }
  })();
  await work();
  stop.abort();
  await listening;
  return [...events, ...times(generations.count, () => 'a transaction of nftables')];
}
