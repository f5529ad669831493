import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChannelCredentials, Client } from '@grpc/grpc-js';
import { type Datastore, openDatastore, ResourceClient } from '@overland/datastore';
import { parseManifest, printYaml } from '@overland/model';
import { captureRun } from '../packages/cli/src/testing/captured-run.ts';

// How many objects per second an apply writes to etcd, beside a minimal client that puts the same values under other
// keys of the same etcd, as many at a time, in the same run. Rounds alternate; medians.
//   node --conditions=@overland/source benchmarks/apply.ts [OBJECTS [ROUNDS]]
// It starts an etcd of its own (Debian: etcd-server), with its data in /tmp.

const OBJECTS = Number(process.argv[2] ?? 1000);
const ROUNDS = Number(process.argv[3] ?? 9);
/** As many as the command has under way. */
const IN_FLIGHT = 32;
const PORT = 23_790;
const ENDPOINT = `http://127.0.0.1:${PORT}`;
const RESOURCES = '/calico/resources/v3/projectcalico.org/';

/** What people apply by the hundred: network sets, policies and peers. */
function manifestOf(round: string, i: number): object {
  const name = `${round}-${String(i).padStart(5, '0')}`;
  const head = { apiVersion: 'projectcalico.org/v3' };
  const metadata = { name, labels: { team: 'a', rack: `r${i % 40}` } };
  const net = (n: number) => `10.${i % 250}.${n}.0/24`;
  switch (i % 3) {
    case 0:
      return {
        ...head,
        kind: 'GlobalNetworkSet',
        metadata,
        spec: { nets: Array.from({ length: 8 }, (_, n) => net(n)) },
      };
    case 1:
      return {
        ...head,
        kind: 'GlobalNetworkPolicy',
        metadata,
        spec: {
          selector: `role == 'web' && team == 'a'`,
          order: 100 + i,
          ingress: [
            {
              action: 'Allow',
              protocol: 'TCP',
              source: { selector: `role == 'proxy'` },
              destination: { ports: [80, 443, '8080:8090'] },
            },
            { action: 'Deny', source: { nets: [net(1), net(2)] } },
          ],
        },
      };
    default:
      return {
        ...head,
        kind: 'BGPPeer',
        metadata,
        spec: { peerIP: '10.0.0.1', asNumber: 65_011, nodeSelector: `rack == 'r${i % 40}'` },
      };
  }
}

/** So many at a time. */
async function inFlight(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < count; i = next++) await work(i);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

async function perSecond(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (OBJECTS / (performance.now() - started)) * 1000;
}

/** A client that can do nothing but put: one RPC, encoded by hand. */
function rawPut(): { put(key: string, value: string): Promise<void>; close(): void } {
  const client = new Client(`127.0.0.1:${PORT}`, ChannelCredentials.createInsecure());
  const field = (tag: number, text: string): Buffer => {
    const bytes = Buffer.from(text);
    const length: number[] = [];
    for (let rest = bytes.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
  };
  return {
    put: (key, value) =>
      new Promise((resolve, reject) => {
        const request = Buffer.concat([field(0x0a, key), field(0x12, value)]);
        client.makeUnaryRequest(
          '/etcdserverpb.KV/Put',
          (bytes: Buffer) => bytes,
          (bytes: Buffer) => bytes,
          request,
          (error: Error | null) => (error ? reject(error) : resolve()),
        );
      }),
    close: () => client.close(),
  };
}

async function storedValues(store: Datastore, round: string): Promise<string[]> {
  const values: string[] = [];
  for (const plural of ['globalnetworksets', 'globalnetworkpolicies', 'bgppeers']) {
    const { entries } = await store.list(`${RESOURCES}${plural}/${round}-`, { limit: OBJECTS });
    values.push(...entries.map(({ value }) => value));
  }
  return values;
}

async function startEtcd(data: string): Promise<AsyncDisposable> {
  const child = spawn(
    'etcd',
    Object.entries({
      '--data-dir': data,
      '--listen-client-urls': ENDPOINT,
      '--advertise-client-urls': ENDPOINT,
      '--listen-peer-urls': `http://127.0.0.1:${PORT + 1}`,
      '--initial-advertise-peer-urls': `http://127.0.0.1:${PORT + 1}`,
      '--initial-cluster': `default=http://127.0.0.1:${PORT + 1}`,
      '--log-level': 'error',
    }).flat(),
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return {
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const directory = mkdtempSync(join(tmpdir(), 'overland-bench-'));
try {
  await using _etcd = await startEtcd(directory);
  await using store = await openDatastore({
    type: 'etcd',
    endpoints: [ENDPOINT],
    deadlineMs: 20_000,
  });
  const client = new ResourceClient(store);
  await store.get('/');
  const raw = rawPut();
  const rates = {
    raw: [] as number[],
    client: [] as number[],
    command: [] as number[],
    again: [] as number[],
  };
  for (let round = -2; round < ROUNDS; round++) {
    const prefix = `r${round + 2}`;
    const file = join(directory, `${prefix}.yaml`);
    const manifests = Array.from({ length: OBJECTS }, (_, i) => manifestOf(`${prefix}c`, i));
    writeFileSync(file, manifests.map((manifest) => printYaml(manifest)).join('---\n'));
    const apply = async () => {
      const { code, err } = await captureRun(['apply', '-f', file], {
        env: { ETCD_ENDPOINTS: ENDPOINT },
      });
      if (code !== 0) throw new Error(err);
    };
    const objects = Array.from({ length: OBJECTS }, (_, i) => manifestOf(`${prefix}o`, i));
    const command = await perSecond(apply);
    const values = await storedValues(store, `${prefix}c`);
    if (values.length !== OBJECTS) throw new Error(`${values.length} objects are stored`);
    const puts = await perSecond(() =>
      inFlight(OBJECTS, (i) => raw.put(`/bench/${prefix}/${i}`, values[i] ?? '')),
    );
    const applies = await perSecond(() =>
      inFlight(OBJECTS, async (i) => {
        const written = objects[i];
        await client.apply(parseManifest(written), written, { isParsed: true });
      }),
    );
    const again = await perSecond(apply);
    await delay(200);
    // The first rounds warm up.
    if (round < 0) continue;
    rates.raw.push(puts);
    rates.client.push(applies);
    rates.command.push(command);
    rates.again.push(again);
  }
  raw.close();
  const reference = median(rates.raw);
  console.table(
    Object.entries({
      'raw put': rates.raw,
      'ResourceClient.apply': rates.client,
      'overland apply -f FILE, new objects': rates.command,
      'overland apply -f FILE, unchanged': rates.again,
    }).map(([what, values]) => ({
      what,
      'objects/s': Math.round(median(values)),
      ratio: Number((median(values) / reference).toFixed(2)),
    })),
  );
} finally {
  rmSync(directory, { recursive: true });
}
