import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Datastore,
  exportDirectory,
  openDatastore,
  readDatastore,
  readDirectory,
  transfer,
} from '@overland/datastore';

// How long a whole cluster takes from etcd to SQLite and back, straight and through a directory, beside the plainest
// copy there is: the same pages and the same transactions, nothing compared, nothing locked.
//   node --conditions=@overland/source benchmarks/datastore-transfer.ts [KEYS]
// Starts an etcd of its own; everything lies in /tmp.

const KEYS = Number(process.argv[2] ?? 100_000);
const RESOURCES = '/calico/resources/v3/projectcalico.org/';

/** A cluster with so many keys: of ten, three endpoints and four handles, the rest blocks, affinities and others. */
function* cluster(): Generator<readonly [string, string]> {
  for (let i = 0; i < KEYS; i++) {
    const block = `10.${(i >> 10) & 255}.${(i >> 2) & 255}.${(i & 3) * 64}`;
    if (i % 10 < 3)
      yield [`${RESOURCES}workloadendpoints/ns${i % 100}/h${i % 977}-k8s-p${i}-eth0`, endpoint(i)];
    else if (i % 10 < 7)
      yield [`/calico/ipam/v2/handle/k8s.${i}`, `{"block":{"${block}/26":1},"deleted":false}`];
    else if (i % 10 === 7)
      yield [`/calico/ipam/v2/assignment/ipv4/block/${block}-26`, blockOf(block)];
    else if (i % 10 === 8)
      yield [
        `/calico/ipam/v2/host/h${i}/ipv4/block/${block}-26`,
        '{"state":"confirmed","deleted":false}',
      ];
    else yield [`${RESOURCES}networksets/ns${i % 100}/set${i}`, networkSet(i)];
  }
}

function endpoint(i: number): string {
  return JSON.stringify({
    kind: 'WorkloadEndpoint',
    apiVersion: 'projectcalico.org/v3',
    metadata: {
      name: `h${i % 977}-k8s-p${i}-eth0`,
      namespace: `ns${i % 100}`,
      uid: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
      creationTimestamp: '2026-01-05T10:00:00Z',
      labels: {
        app: 'web',
        'projectcalico.org/namespace': `ns${i % 100}`,
        'projectcalico.org/orchestrator': 'k8s',
      },
    },
    spec: {
      orchestrator: 'k8s',
      node: `h${i % 977}`,
      containerID: String(i).padStart(64, '0'),
      pod: `p${i}`,
      endpoint: 'eth0',
      ipNetworks: ['10.0.0.1/32', 'fd00::1/128'],
      profiles: [`kns.ns${i % 100}`, `ksa.ns${i % 100}.default`],
      interfaceName: 'cali0123456789a',
      mac: 'ee:ee:ee:ee:ee:ee',
    },
  });
}

function blockOf(address: string): string {
  const ordinals = Array.from({ length: 64 }, (_, i) => i);
  const attributes = ordinals
    .slice(0, 40)
    .map((i) => ({ handle_id: `k8s.${i}`, secondary: { node: 'h1', pod: `p${i}` } }));
  const sequences = ordinals.slice(0, 40).map((i) => `"${i}":1789012345678901235`);
  const allocations = ordinals.map((i) => (i < 40 ? i : null));
  return `{"cidr":"${address}/26","affinity":"host:h1","allocations":${JSON.stringify(allocations)},"unallocated":${JSON.stringify(ordinals.slice(40))},"attributes":${JSON.stringify(attributes)},"sequenceNumber":1789012345678901235,"sequenceNumberForAllocation":{${sequences.join(',')}},"deleted":false}`;
}

function networkSet(i: number): string {
  const metadata = { name: `set${i}`, namespace: `ns${i % 100}`, uid: `u${i}` };
  return JSON.stringify({
    kind: 'NetworkSet',
    apiVersion: 'projectcalico.org/v3',
    metadata,
    spec: { nets: ['192.0.2.0/24', '2001:db8::/32'] },
  });
}

async function startEtcd(directory: string) {
  const [client, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const options = {
    '--data-dir': directory,
    '--listen-client-urls': url,
    '--advertise-client-urls': url,
    '--listen-peer-urls': peerUrl,
    '--initial-advertise-peer-urls': peerUrl,
    '--initial-cluster': `default=${peerUrl}`,
    '--log-level': 'error',
  };
  const child = spawn('etcd', Object.entries(options).flat(), { stdio: 'ignore' });
  const store = await openDatastore({ type: 'etcd', endpoints: [url], deadlineMs: 30_000 });
  for (let attempt = 0; ; attempt++) {
    const isUp = await store.get('/').then(
      () => true,
      () => false,
    );
    if (isUp) break;
    if (attempt === 100) throw new Error('etcd does not start');
    await sleep(100);
  }
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

interface Copy {
  readonly entries: AsyncIterable<readonly { readonly key: string; readonly value: string }[]>;
  readonly target: Datastore;
}

/** Pages into transactions of 100 puts, eight in flight. */
async function plainCopy({ entries, target }: Copy): Promise<void> {
  const running = new Set<Promise<unknown>>();
  for await (const page of entries) {
    for (let i = 0; i < page.length; i += 100) {
      const operations = page
        .slice(i, i + 100)
        .map(({ key, value }) => ({ type: 'put', key, value }) as const);
      const put = target.transact({ conditions: [], operations });
      running.add(put);
      void put.finally(() => running.delete(put));
      if (running.size >= 8) await Promise.race(running);
    }
  }
  await Promise.all(running);
}

/** Pages of the cluster as it is made up. */
async function* made() {
  let page: { key: string; value: string }[] = [];
  for (const [key, value] of cluster()) {
    page.push({ key, value });
    if (page.length < 500) continue;
    yield page;
    page = [];
  }
  yield page;
}

interface Row {
  readonly what: string;
  readonly seconds: number;
  readonly 'keys/s': number;
  readonly 'times a plain copy': number | string;
}

const rows: Row[] = [];

/** @returns Seconds. */
async function measure(
  what: string,
  work: () => Promise<unknown>,
  plain?: number,
): Promise<number> {
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  rows.push({
    what,
    seconds: Number(seconds.toFixed(1)),
    'keys/s': Math.round(KEYS / seconds),
    'times a plain copy': plain ? Number((seconds / plain).toFixed(1)) : '',
  });
  return seconds;
}

const directory = mkdtempSync(join(tmpdir(), 'overland-bench-'));
const sqlite = (name: string) =>
  openDatastore({ type: 'sqlite', path: join(directory, name), deadlineMs: 30_000 });
const from = (store: Datastore) => readDatastore(store, 'the source');
const now = () => new Date();
try {
  await using first = await startEtcd(join(directory, 'etcd1'));
  await using second = await startEtcd(join(directory, 'etcd2'));
  await using third = await startEtcd(join(directory, 'etcd3'));
  await using plainSqlite = await sqlite('plain.db');
  await using migrated = await sqlite('migrated.db');
  await using imported = await sqlite('imported.db');
  const [etcd, backTo, plainBackTo] = [first.store, second.store, third.store];
  await plainCopy({ entries: made(), target: etcd });
  const path = join(directory, 'export');

  const copy = async (source: Datastore, target: Datastore) =>
    plainCopy({ entries: (await from(source)).pages(), target });
  const there = await measure('plain copy, etcd to SQLite', () => copy(etcd, plainSqlite));
  await measure(
    'migrate, etcd to SQLite',
    async () => transfer({ source: await from(etcd), target: migrated }),
    there,
  );
  const back = await measure('plain copy, SQLite to etcd', () => copy(plainSqlite, plainBackTo));
  await measure(
    'migrate, SQLite to etcd',
    async () => transfer({ source: await from(migrated), target: backTo }),
    back,
  );
  await measure(
    'migrate again: nothing to do',
    async () => transfer({ source: await from(etcd), target: migrated }),
    there,
  );
  await measure(
    'export, etcd to directory',
    () => exportDirectory({ store: etcd, location: 'etcd', directory: path, now }),
    there,
  );
  await measure(
    'import, directory to SQLite',
    async () => transfer({ source: await readDirectory(path), target: imported }),
    there,
  );
  console.table(rows);
  const { maxRSS } = process.resourceUsage();
  console.log(`${KEYS} keys; at most ${Math.round(maxRSS / 1024)} MB resident`);
} finally {
  rmSync(directory, { recursive: true });
}
