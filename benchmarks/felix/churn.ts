import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { type Kernel, openKernel } from '@overland/linux';
import { netns, type TestNamespace } from '@overland/linux/testing';
import { resourceKey } from '@overland/model';
import { hostPrefix, parseAddress } from '@overland/net';
import { until } from '../../tests/interop/support/until.ts';
import { percentile } from '../bgp/statistics.ts';
import { addressIn, interfaceOf, ownEndpoint, put, putAll, resource } from './host/cluster.ts';
import { policyHost, programmed, run } from './host/policy-host.ts';

/**
 * Endpoints that come and go, 100 of each a second: how long from etcd's answer until one is programmed (its policy, its
 * interface, its route), and is one ever reachable at a port that its policy closes? A prober outside of the host sends to
 * every one that comes or goes, at a port that policy opens and at one that it closes. As root:
 *
 *   scripts/isolated node --conditions=@overland/source benchmarks/felix/churn.ts [ENDPOINTS [RATE]]
 */

const ENDPOINTS = Number(process.argv[2] ?? 1000);
const RATE = Number(process.argv[3] ?? 100);
const LIFE_MS = 1000;
const BAR_MS = 50;
const PORTS = { open: '7007', closed: '7009' } as const;
const PROBE = join(import.meta.dirname, 'churn-probe.ts');

await using host = await policyHost();
await using kernel = openKernel();
await using workloads = await netns();
await using outside = await netns();
await using inside = openKernel({ namespace: workloads.path });
await connect();
const doors = resource(
  'GlobalNetworkPolicy',
  { name: 'doors' },
  {
    selector: "group == 'own'",
    types: ['Ingress'],
    ingress: [{ action: 'Allow', protocol: 'UDP', destination: { ports: [Number(PORTS.open)] } }],
  },
);
await putAll(host.datastore, [doors]);
host.start();
await programmed(host, 0);
const sender = startProbe(outside, 'send');
const listener = startProbe(workloads, 'listen');
await until('the prober listens', async () =>
  (await workloads.exec(['ss', '-Hlun'])).includes(PORTS.closed),
);

const committedAt = new Map<string, number>();
const programmedAt = new Map<string, number>();
const stop = new AbortController();
const watching = watchRoutes(kernel, stop.signal);
const lives: Promise<void>[] = [];
const began = performance.now();
for (let i = 0; i < ENDPOINTS; i++) {
  lives.push(live(i));
  const due = began + ((i + 1) * 1000) / RATE;
  await delay(Math.max(0, due - performance.now()));
}
await Promise.all(lives);
const seconds = (performance.now() - began - LIFE_MS) / 1000;
sender.stdin.end();
listener.stdin.end();
const reached = JSON.parse(await text(listener.stdout)) as { open: number; closed: number };
stop.abort();
await watching;
const latencies = [...committedAt].flatMap(([destination, committed]) => {
  const at = programmedAt.get(destination);
  return at === undefined ? [] : [Math.max(0, at - committed)];
});
const p99 = percentile(latencies, 0.99);
console.table([
  {
    endpoints: ENDPOINTS,
    'a second': (ENDPOINTS / seconds).toFixed(0),
    programmed: latencies.length,
    'p50, ms': percentile(latencies, 0.5).toFixed(1),
    'p99, ms': p99.toFixed(1),
    [`p99 ≤ ${BAR_MS}`]: p99 <= BAR_MS ? 'met' : 'missed',
    'reached where policy opens': reached.open,
    'reached where policy closes': reached.closed,
    none: reached.closed === 0 ? 'met' : 'missed',
  },
]);

/** The prober's way to the host; and a namespace that has all the addresses of workloads. */
async function connect(): Promise<void> {
  const uplink = { name: 'uplink', namespace: outside.path };
  await kernel.links.createVeth({ name: 'up0', mtu: 1500, peer: uplink });
  await run('ip', 'address', 'add', '192.0.2.0/31', 'dev', 'up0');
  await run('ip', 'link', 'set', 'up0', 'up');
  await run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await outside.ip('address', 'add', '192.0.2.1/31', 'dev', 'uplink');
  await outside.ip('link', 'set', 'uplink', 'up');
  await outside.ip('route', 'add', 'default', 'via', '192.0.2.0');
  await workloads.ip('route', 'add', 'local', '10.0.0.0/8', 'dev', 'lo');
  await workloads.exec(['sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0']);
  await workloads.exec(['sysctl', '-qw', 'net.ipv4.conf.default.rp_filter=0']);
}

/** From the link to its end. */
async function live(i: number): Promise<void> {
  const name = interfaceOf(i);
  const address = addressIn(10, i);
  const endpoint = ownEndpoint(i);
  await kernel.links.createVeth({ name, mtu: 1500, peer: { name, namespace: workloads.path } });
  await inside.links.set(name, { up: true });
  sender.stdin.write(`${address}\n`);
  await host.datastore.transact({ conditions: [], operations: [put(endpoint)] });
  committedAt.set(hostPrefix(parseAddress(address)), performance.now());
  await delay(LIFE_MS);
  sender.stdin.write(`${address}\n`);
  const key = resourceKey(endpoint.kind, endpoint.metadata);
  await host.datastore.transact({ conditions: [], operations: [{ type: 'delete', key }] });
  await kernel.links.remove(name);
}

/** A route is the last that an endpoint gets. */
async function watchRoutes({ monitor }: Kernel, signal: AbortSignal): Promise<void> {
  for await (const event of monitor.events(signal)) {
    if (event.type !== 'route' || event.removed || event.route.target.type !== 'device') continue;
    const { destination } = event.route;
    if (!programmedAt.has(destination)) programmedAt.set(destination, performance.now());
  }
}

function startProbe({ name }: TestNamespace, what: 'send' | 'listen') {
  const argv = [process.execPath, PROBE, what, PORTS.open, PORTS.closed];
  return spawn('ip', ['netns', 'exec', name, ...argv], { stdio: ['pipe', 'pipe', 'inherit'] });
}
