import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ChannelCredentials, Client } from '@grpc/grpc-js';
import { type Datastore, type Operation, openDatastore } from '@overland/datastore';
import { createIpam, type Ipam, IpamView } from '@overland/ipam';
import { affinityKey, blockKey, encodeBlock, IPAM_CONFIG_KEY, resourceKey } from '@overland/model';
import { type Prefix, parsePrefix, subnetAt } from '@overland/net';
import { newBlock } from '../packages/ipam/src/block.ts';

// How many addresses per second hosts assign from blocks they own, beside a minimal client that writes the same values in
// transactions under other keys of the same etcd, as many at a time, in the same run; and what a large cluster costs. Rounds alternate;
// medians.
//   node --conditions=@overland/source benchmarks/ipam.ts [ASSIGNMENTS [ROUNDS]]
// It starts an etcd of its own (Debian: etcd-server), with its data in /tmp, and syncs it as etcd does.

const ASSIGNMENTS = Number(process.argv[2] ?? 960);
const ROUNDS = Number(process.argv[3] ?? 7);
const IN_FLIGHT = 16;
const PORT = 23_890;
const ENDPOINT = `http://127.0.0.1:${PORT}`;
const OWN = parsePrefix('172.16.0.0/16');
const OTHERS = parsePrefix('10.0.0.0/8');
const BLOCK_LENGTH = 26;
const BLOCK_SIZE = 64;
const CLAIMED = '{"state":"confirmed","deleted":false}';
const AT = new Date('2026-11-27T08:00:00Z');

interface Written {
  readonly block: string;
  readonly handle: string;
}

/** A host, on a connection of its own. */
interface Host extends AsyncDisposable {
  readonly ipam: Ipam;
  readonly view: IpamView;
  /** What its assignments wrote, one item each. */
  readonly written: Written[];
  /** Calls to the datastore, and octets of keys and values in them. */
  readonly cost: { calls: number; octets: number };
}

async function hostOf(node: string): Promise<Host> {
  const store = await openDatastore({ type: 'etcd', endpoints: [ENDPOINT], deadlineMs: 20_000 });
  const written: Written[] = [];
  const cost = { calls: 0, octets: 0 };
  const count = (...texts: readonly string[]): void => {
    cost.calls++;
    for (const text of texts) cost.octets += text.length;
  };
  const observed: Datastore = {
    isPrivate: store.isPrivate,
    async get(key) {
      const entry = await store.get(key);
      count(key, entry?.value ?? '');
      return entry;
    },
    async list(prefix, options) {
      const page = await store.list(prefix, options);
      count(prefix, ...page.entries.flatMap(({ key, value }) => [key, value]));
      return page;
    },
    transact(transaction) {
      const { conditions, operations } = transaction;
      count(...conditions.map(({ key }) => key), ...operations.flatMap(textsOf));
      const puts = operations.flatMap((each) => (each.type === 'put' ? each : []));
      const block = puts.find(({ key }) => key.includes('/assignment/'))?.value ?? '';
      for (const { key, value } of puts) {
        if (key.includes('/handle/')) written.push({ block, handle: value });
      }
      return store.transact(transaction);
    },
    watch: (prefix, signal, from) => store.watch(prefix, signal, from),
    lease: (ttlSeconds) => store.lease(ttlSeconds),
    compact: (revision) => store.compact(revision),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
  const stop = new AbortController();
  const view = new IpamView(node);
  const following = view.follow((prefix) => store.watch(prefix, stop.signal));
  await view.synced;
  const ipam = createIpam({ datastore: observed, node, view, now: () => AT });
  return {
    ipam,
    view,
    written,
    cost,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
      await store[Symbol.asyncDispose]();
    },
  };
}

function textsOf(operation: Operation): string[] {
  return operation.type === 'put' ? [operation.key, operation.value] : [operation.key];
}

/**
 * A client that can do nothing but put two keys in one transaction: one RPC, encoded by hand. With as many conditions as an
 * assignment has, or with none.
 */
function rawClient() {
  const client = new Client(`127.0.0.1:${PORT}`, ChannelCredentials.createInsecure());
  const field = (tag: number, content: string | Buffer): Buffer => {
    const bytes = Buffer.from(content);
    const length: number[] = [];
    for (let rest = bytes.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
  };
  // TxnRequest.success = 2, RequestOp.request_put = 2, PutRequest.key = 1 and .value = 2.
  const put = (key: string, value: string): Buffer =>
    field(0x12, field(0x12, Buffer.concat([field(0x0a, key), field(0x12, value)])));
  return {
    write: (name: string, { block, handle }: Written, conditions: number) =>
      new Promise<void>((resolve, reject) => {
        // TxnRequest.compare = 1, Compare.key = 3: that there is no such key.
        const compare = Array.from({ length: conditions }, (_, i) =>
          field(0x0a, field(0x1a, `/bench/${['block', 'handle', 'claim'][i]}/${name}`)),
        );
        const request = Buffer.concat([
          ...compare,
          put(`/bench/block/${name}`, block),
          put(`/bench/handle/${name}`, handle),
        ]);
        client.makeUnaryRequest(
          '/etcdserverpb.KV/Txn',
          (bytes: Buffer) => bytes,
          (bytes: Buffer) => bytes,
          request,
          (error: Error | null) => (error ? reject(error) : resolve()),
        );
      }),
    close: () => client.close(),
  };
}

/** Runs `count` pieces of work, so many at a time. @returns How many per second, and how long each took, milliseconds. */
async function measure(
  count: number,
  lanes: number,
  work: (i: number, lane: number) => Promise<unknown>,
) {
  const latencies: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let i = next++; i < count; i = next++) {
        const before = performance.now();
        await work(i, lane);
        latencies.push(performance.now() - before);
      }
    }),
  );
  const perSecond = (count / (performance.now() - started)) * 1000;
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { perSecond, p50: at(0.5), p99: at(0.99) };
}

type Measured = Awaited<ReturnType<typeof measure>>;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function medianOf(all: readonly Measured[]): Measured {
  return {
    perSecond: median(all.map(({ perSecond }) => perSecond)),
    p50: median(all.map(({ p50 }) => p50)),
    p99: median(all.map(({ p99 }) => p99)),
  };
}

/** Claims by hand, without the protocol. */
async function storeBlocks(
  store: Datastore,
  node: string,
  cidrs: readonly Prefix[],
): Promise<void> {
  const owner = { type: 'host', name: node } as const;
  for (let i = 0; i < cidrs.length; i += 60) {
    const operations = cidrs.slice(i, i + 60).flatMap((cidr): Operation[] => [
      { type: 'put', key: blockKey(cidr), value: encodeBlock(newBlock(cidr, owner, AT)) },
      { type: 'put', key: affinityKey(owner, cidr), value: CLAIMED },
    ]);
    await store.transact({ conditions: [], operations });
  }
}

async function compareRates(store: Datastore, hosts: number, lanesPerHost: number) {
  const ours: Measured[] = [];
  const raw: Measured[] = [];
  const puts: Measured[] = [];
  const lanes = hosts * lanesPerHost;
  const blocksPerHost = Math.ceil(ASSIGNMENTS / hosts / BLOCK_SIZE) + 1;
  const clients = Array.from({ length: hosts }, rawClient);
  for (let round = -1; round < ROUNDS; round++) {
    await using opened = new AsyncDisposableStack();
    const written: Written[] = [];
    const running: Host[] = [];
    for (let i = 0; i < hosts; i++) {
      const node = `bench-${hosts}-${round + 1}-${i}`;
      const cidrs = Array.from({ length: blocksPerHost }, () => nextBlock());
      await storeBlocks(store, node, cidrs);
      const host = opened.use(await hostOf(node));
      // Opens its blocks: owned means known.
      await host.ipam.assign(requestOf(node, `${node}-first`));
      running.push(host);
    }
    const ask = async (i: number, lane: number): Promise<void> => {
      const host = running[lane % hosts];
      await host?.ipam.assign(requestOf('bench', `bench-${hosts}-${round + 1}-c${i}`));
    };
    const assigned = await measure(ASSIGNMENTS, lanes, ask);
    for (const host of running) written.push(...host.written.slice(1));
    const written0 = written[0] ?? { block: '', handle: '' };
    const replay = (name: string, conditions: number) =>
      measure(ASSIGNMENTS, lanes, (i, lane) => {
        const client = clients[lane % hosts];
        const key = `${name}-${hosts}-${round + 1}-${i}`;
        return client?.write(key, written[i] ?? written0, conditions) ?? Promise.resolve();
      });
    const replayed = await replay('with', 3);
    const unconditional = await replay('without', 0);
    if (round < 0) continue; // warms up
    ours.push(assigned);
    raw.push(replayed);
    puts.push(unconditional);
  }
  for (const client of clients) client.close();
  const [mine, theirs, least] = [medianOf(ours), medianOf(raw), medianOf(puts)];
  return {
    what: `${hosts} host(s) × ${lanesPerHost} in flight`,
    'ours/s': Math.round(mine.perSecond),
    'raw/s': Math.round(theirs.perSecond),
    ratio: Number((mine.perSecond / theirs.perSecond).toFixed(2)),
    'puts/s': Math.round(least.perSecond),
    'ratio to puts': Number((mine.perSecond / least.perSecond).toFixed(2)),
    'ours p50': Number(mine.p50.toFixed(2)),
    'ours p99': Number(mine.p99.toFixed(2)),
    'raw p50': Number(theirs.p50.toFixed(2)),
    'raw p99': Number(theirs.p99.toFixed(2)),
  };
}

let blocksGiven = 0n;
function nextBlock(): Prefix {
  return subnetAt(OWN, BLOCK_LENGTH, blocksGiven++);
}

function requestOf(node: string, handle: string) {
  const attributes = {
    node,
    namespace: 'default',
    workload: handle,
    hostInterface: 'cali0123456789a',
  };
  return { handle, families: ['ipv4'] as const, attributes };
}

/** What a host pays in a cluster of so many others: it assigns from a block of its own, and claims. */
async function costAmong(store: Datastore, hosts: number) {
  const cidrs = Array.from({ length: hosts * 10 }, (_, i) =>
    subnetAt(OTHERS, BLOCK_LENGTH, BigInt(i)),
  );
  for (let i = 0; i < hosts; i++) {
    await storeBlocks(store, `other-${i}`, cidrs.slice(10 * i, 10 * i + 10));
  }
  const before = heapMebibytes();
  await using host = await hostOf('measured');
  const index = heapMebibytes() - before;
  const ask = (handle: string) =>
    host.ipam.assign({ ...requestOf('measured', handle), pools: ['own'] });
  await ask('warm-up');
  host.cost.calls = 0;
  host.cost.octets = 0;
  // Sixty from each block: with every one comes a claim.
  const result = await measure(600, 1, (i) => ask(`c${String(i).padStart(3, '0')}`));
  const { calls, octets } = host.cost;
  const { size } = host.view.claims;
  for (const handle of [
    'warm-up',
    ...Array.from({ length: 600 }, (_, i) => `c${String(i).padStart(3, '0')}`),
  ]) {
    await host.ipam.release(handle);
  }
  for (const cidr of await host.ipam.blocksOf('measured')) await host.ipam.giveUp(cidr);
  return {
    what: `${hosts} hosts × 10 blocks`,
    'claims in the index': size,
    'etcd calls': calls,
    octets,
    p50: Number(result.p50.toFixed(2)),
    p99: Number(result.p99.toFixed(2)),
    'index MiB': Number(index.toFixed(1)),
  };
}

setFlagsFromString('--expose-gc');
const collectHeap = runInNewContext('gc') as () => void;
function heapMebibytes(): number {
  collectHeap();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

async function putResource(store: Datastore, name: string, spec: object): Promise<void> {
  const object = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name }, spec };
  const key = resourceKey('IPPool', { name });
  const operation = { type: 'put', key, value: JSON.stringify(object) } as const;
  await store.transact({ conditions: [], operations: [operation] });
}

async function startEtcd(data: string): Promise<AsyncDisposable> {
  const peer = `http://127.0.0.1:${PORT + 1}`;
  const options = {
    '--data-dir': data,
    '--listen-client-urls': ENDPOINT,
    '--advertise-client-urls': ENDPOINT,
    '--listen-peer-urls': peer,
    '--initial-advertise-peer-urls': peer,
    '--initial-cluster': `default=${peer}`,
    '--log-level': 'error',
  };
  const child = spawn('etcd', Object.entries(options).flat(), {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return {
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

const directory = mkdtempSync(join(tmpdir(), 'overland-bench-'));
try {
  await using _etcd = await startEtcd(directory);
  await using store = await openDatastore({
    type: 'etcd',
    endpoints: [ENDPOINT],
    deadlineMs: 20_000,
  });
  await store.get('/');
  const config = { strict_affinity: true, auto_allocate_blocks: true, maxBlocksPerHost: 1000 };
  const key = IPAM_CONFIG_KEY;
  const operation = { type: 'put', key, value: JSON.stringify(config) } as const;
  await store.transact({ conditions: [], operations: [operation] });
  await putResource(store, 'own', { cidr: OWN, blockSize: BLOCK_LENGTH });
  await putResource(store, 'others', {
    cidr: OTHERS,
    blockSize: BLOCK_LENGTH,
    nodeSelector: "role == 'other'",
  });
  console.table([await compareRates(store, 1, IN_FLIGHT), await compareRates(store, IN_FLIGHT, 1)]);
  console.table([await costAmong(store, 10), await costAmong(store, 5000)]);
} finally {
  rmSync(directory, { recursive: true });
}
