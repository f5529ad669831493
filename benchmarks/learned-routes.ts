/**
 * How long do N learned routes over two paths take to reach the kernel, to be recognised after a restart, to lose
 * and regain a path, and to go? Run as root:
 *
 *   scripts/isolated node --conditions=@overland/source benchmarks/learned-routes.ts [N]
 */
import type { Dataplane, LocalState } from '@overland/felix';
import { createDataplane } from '@overland/felix/dataplane';
import { openKernel, PROTOCOL } from '@overland/linux';
import { cable, netns } from '@overland/linux/testing';
import {
  addressFromBigInt,
  packRoutes,
  parseAddress,
  prefixOf,
  type RouteBatch,
} from '@overland/net';
import { pino } from 'pino';

const count = Number(process.argv[2] ?? 100_000);
const RECORDS_PER_BATCH = 2000;
const state: LocalState = { synced: true, endpoints: new Map(), blackholes: [], sources: {} };
const prefixes = Array.from({ length: count }, (_, i) =>
  prefixOf(addressFromBigInt('ipv4', 0x0a80_0000n + (BigInt(i) << 6n)), 26),
);

function* batches(nextHopSet: number, endOfRib: boolean): Generator<RouteBatch> {
  for (let at = 0; at < count; at += RECORDS_PER_BATCH) {
    const part = prefixes.slice(at, at + RECORDS_PER_BATCH);
    yield {
      sequence: 1 + at / RECORDS_PER_BATCH,
      family: 'ipv4',
      nextHopSets: [
        {
          id: 1,
          nextHops: [
            { address: parseAddress('10.1.1.1'), device: 'eth1' },
            { address: parseAddress('10.1.2.1'), device: 'eth2' },
          ],
        },
      ],
      records: packRoutes(
        'ipv4',
        part.map((prefix) => ({ prefix, nextHopSet })),
      ),
      endOfRib: endOfRib && at + RECORDS_PER_BATCH >= count,
    };
  }
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  const rss = (process.memoryUsage.rss() / 2 ** 20).toFixed(0);
  console.log(
    `${what.padEnd(34)} ${ms(performance.now() - started).padStart(9)}  user ${ms(user / 1000)}, system ${ms(system / 1000)}, rss ${rss} MB`,
  );
}

async function feed(dataplane: Dataplane, nextHopSet: number): Promise<void> {
  dataplane.setLocalState(state);
  for (const batch of batches(nextHopSet, true)) await dataplane.applyRoutes(batch);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

await using host = await netns();
await using router = await netns();
await router.ip('link', 'add', 'spare1', 'type', 'veth', 'peer', 'name', 'spare2');
for (const n of [1, 2]) {
  await cable(
    { namespace: host, device: `eth${n}`, addresses: [`10.1.${n}.0/31`] },
    { namespace: router, device: `port${n}`, addresses: [`10.1.${n}.1/31`] },
  );
}
await host.exec(['sysctl', '-qw', 'net.ipv4.nexthop_compat_mode=0']);
await using kernel = openKernel({ namespace: host.path });
const log = pino({ level: 'warn' });

{
  await using dataplane = createDataplane({ kernel, log });
  await timed(`program ${count} routes`, () => feed(dataplane, 1));
}
await using dataplane = createDataplane({ kernel, log });
await timed('recognise them after a restart', () => feed(dataplane, 1));
await timed('status', async () => dataplane.status());
const groups = async (): Promise<string> => host.ip('nexthop', 'show', 'id', '8700000');
await timed('lose one of two links', async () => {
  await router.ip('link', 'set', 'port2', 'down');
  while ((await groups()).includes('/')) await new Promise((resolve) => setTimeout(resolve, 1));
});
await timed('regain it', async () => {
  await router.ip('link', 'set', 'port2', 'up');
  while (!(await groups()).includes('/')) await new Promise((resolve) => setTimeout(resolve, 1));
});
await timed('lose both links', async () => {
  await router.ip('link', 'set', 'port1', 'down');
  await router.ip('link', 'set', 'port2', 'down');
  await until(() => dataplane.status().learned.ipv4.unreachable === count);
});
await timed('regain one', async () => {
  await router.ip('link', 'set', 'port1', 'up');
  await until(() => dataplane.status().learned.ipv4.programmed === count);
});
await timed('withdraw all', () => feed(dataplane, 0));
console.log(`${(await kernel.routes.list('ipv4', PROTOCOL.bgp)).length} routes left`);
