/**
 * How fast are kernel routes read and written, compared with iproute2 in the same run?
 *
 *   scripts/isolated node --conditions=@overland/source benchmarks/netlink.ts [ROUTES] [ROUNDS]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kernel, openKernel, PROTOCOL, type Route, type RouteTarget } from '@overland/linux';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { type Prefix, parseAddress, prefixFromBytes } from '@overland/net';

const ROUTES = Number(process.argv[2] ?? 100_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const SINGLE_CHANGES = 2_000;
const SPAWNED_CHANGES = 100;

/** Milliseconds by row, one per round. */
const results = new Map<string, number[]>();
const record = (row: string, value: number): void => {
  results.set(row, [...(results.get(row) ?? []), value]);
};
const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN;

async function timed<T>(row: string, work: () => Promise<T> | T): Promise<T> {
  const start = performance.now();
  const result = await work();
  record(row, performance.now() - start);
  return result;
}

/** The i-th /26 or /32 of 10.0.0.0/8. */
function prefix(i: number, length: 26 | 32): Prefix {
  const bits = length === 26 ? i << 6 : i;
  return prefixFromBytes(Uint8Array.of(10, bits >> 16, bits >> 8, bits), length);
}

function table(length: 26 | 32, target: RouteTarget): Route[] {
  return Array.from({ length: ROUTES }, (_, i) => ({
    destination: prefix(i, length),
    metric: 1024,
    protocol: PROTOCOL.bgp,
    target,
  }));
}

async function change(kernel: Kernel, what: 'replace' | 'remove', routes: Route[]): Promise<void> {
  const outcome = await kernel.routes[what](routes);
  const failed = outcome.find((error) => error !== undefined);
  if (failed !== undefined) throw failed;
}

async function bulk(kernel: Kernel, name: string, routes: Route[]): Promise<void> {
  await timed(`add ${name}`, () => change(kernel, 'replace', routes));
  await timed(`replace ${name} by the same`, () => change(kernel, 'replace', routes));
  const read = await timed(`dump ${name}`, () => kernel.routes.list('ipv4', PROTOCOL.bgp));
  if (read.length !== ROUTES) throw new Error(`${read.length} routes were read back`);
  await timed(`delete ${name}`, () => change(kernel, 'remove', routes));
}

/** The same through iproute2: one process for all routes. */
async function bulkByIp(ns: TestNamespace, name: string, routes: Route[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'netlink-'));
  const file = join(directory, 'batch');
  const where = (target: RouteTarget): string =>
    target.type === 'device'
      ? `dev ${target.device}`
      : `nhid ${target.type === 'next-hop-object' && target.id}`;
  const lines = (verb: string): string =>
    routes
      .map((r) => `route ${verb} ${r.destination} ${where(r.target)} proto 86 metric 1024`)
      .join('\n');
  try {
    writeFileSync(file, lines('replace'));
    await timed(`ip -batch: add ${name}`, () => ns.ip('-batch', file));
    await timed(`ip -batch: replace ${name} by the same`, () => ns.ip('-batch', file));
    await timed(`ip -j: dump ${name}`, () => {
      const argv = ['-n', ns.name, '-j', 'route', 'show', 'proto', '86'];
      const json = execFileSync('ip', argv, { encoding: 'utf8', maxBuffer: 1 << 30 });
      if (JSON.parse(json).length !== ROUTES) throw new Error('ip lost routes');
    });
    writeFileSync(file, lines('del'));
    await timed(`ip -batch: delete ${name}`, () => ns.ip('-batch', file));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function singles(kernel: Kernel, ns: TestNamespace): Promise<void> {
  const [one] = table(32, { type: 'device', device: 'eth1' });
  if (one === undefined) return;
  const ours: number[] = [];
  for (let i = 0; i < SINGLE_CHANGES; i++) {
    const start = performance.now();
    await change(kernel, i % 2 === 0 ? 'replace' : 'remove', [one]);
    ours.push(performance.now() - start);
  }
  const spawned: number[] = [];
  const argv = ['-n', ns.name, 'route', 'replace', one.destination, 'dev', 'eth1'];
  for (let i = 0; i < SPAWNED_CHANGES; i++) {
    const start = performance.now();
    execFileSync('ip', argv);
    spawned.push(performance.now() - start);
  }
  for (const [name, q] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const) {
    record(`one route, ${name}`, quantile(ours, q));
    record(`one route by ip, ${name}`, quantile(spawned, q));
  }
}

/** From before the change is asked for until its event is in the consumer's hands. */
async function eventLatency(kernel: Kernel): Promise<void> {
  const [one] = table(32, { type: 'device', device: 'eth1' });
  if (one === undefined) return;
  const stop = new AbortController();
  const events = kernel.monitor.events(stop.signal)[Symbol.asyncIterator]();
  const latencies: number[] = [];
  for (let i = 0; i < SINGLE_CHANGES; i++) {
    const start = performance.now();
    const changed = change(kernel, i % 2 === 0 ? 'replace' : 'remove', [one]);
    await events.next();
    latencies.push(performance.now() - start);
    await changed;
  }
  stop.abort();
  record('change and its event, p50', quantile(latencies, 0.5));
  record('change and its event, p99', quantile(latencies, 0.99));
}

/** What it costs to listen to one's own changes. */
async function flood(kernel: Kernel, routes: Route[]): Promise<void> {
  const stop = new AbortController();
  const events = kernel.monitor.events(stop.signal);
  let [seen, overruns] = [0, 0];
  const start = performance.now();
  const changed = change(kernel, 'replace', routes);
  for await (const event of events) {
    if (event.type === 'overrun') overruns += 1;
    if (event.type === 'route') seen += 1;
    if (seen === routes.length || overruns > 0) break;
  }
  await changed;
  record(`add by nhid, every event consumed (${overruns} overruns)`, performance.now() - start);
  await change(kernel, 'remove', routes);
}

/** The same with the echo kept out by the kernel: only the last change, another kernel's, is heard. */
async function quietFlood(kernel: Kernel, namespace: string, routes: Route[]): Promise<void> {
  await using other = openKernel({ namespace });
  const events = kernel.monitor.events(new AbortController().signal, { echo: false });
  const foreign = { ...routes[0], metric: 4711 } as Route;
  await timed('add by nhid, own events filtered', async () => {
    await change(kernel, 'replace', routes);
    await change(other, 'replace', [foreign]);
    for await (const event of events) if (event.type === 'route') break;
  });
  await change(kernel, 'remove', [...routes, foreign]);
}

await using left = await netns();
await using right = await netns();
await cable(
  { namespace: left, device: 'eth1', addresses: ['10.255.0.0/31'] },
  { namespace: right, device: 'eth1', addresses: ['10.255.0.1/31'] },
);
await using kernel = openKernel({ namespace: left.path });
await kernel.sysctls.set('net.ipv4.nexthop_compat_mode', '0');
const nextHop = { address: parseAddress('10.255.0.1'), device: 'eth1' };
const protocol = PROTOCOL.bgp;
await kernel.nextHopObjects.replace([
  { id: 1, protocol, content: { type: 'path', family: 'ipv4', nextHop } },
  { id: 10, protocol, content: { type: 'group', members: [1] } },
]);

const byDevice = table(32, { type: 'device', device: 'eth1' });
const byObject = table(26, { type: 'next-hop-object', id: 10 });
for (let round = 0; round < ROUNDS; round++) {
  await bulk(kernel, '/32 by device', byDevice);
  await bulkByIp(left, '/32 by device', byDevice);
  await bulk(kernel, '/26 by nhid', byObject);
  await bulkByIp(left, '/26 by nhid', byObject);
  await flood(kernel, byObject);
  await quietFlood(kernel, left.path, byObject);
  await singles(kernel, left);
  await eventLatency(kernel);
}

process.stdout.write(`${ROUTES} routes, ${ROUNDS} rounds: milliseconds, median (least to most)\n`);
for (const [row, values] of results) {
  const [least, median, most] = [0, 0.5, 1].map((q) => quantile(values, q).toPrecision(3));
  process.stdout.write(`${row.padEnd(52)} ${median?.padStart(9)}   (${least} to ${most})\n`);
}
