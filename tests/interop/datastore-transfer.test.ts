import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type Datastore,
  honourLock,
  LockedError,
  openDatastore,
  setLock,
} from '@overland/datastore';
import { EtcdProcess } from '@overland/datastore/testing';
import { parseJson, stringifyJson } from '@overland/model';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { OVERLAND } from './support/agent.ts';
import { until } from './support/until.ts';

const run = promisify(execFile);
const isSoak = process.env.OVERLAND_SOAK === '1';
const HANDLES = isSoak ? 40_000 : 6000;
const ENDPOINTS = isSoak ? 10_000 : 1500;
const RESOURCES = '/calico/resources/v3/projectcalico.org/';
const HANDLE = '/calico/ipam/v2/handle/';

let etcd: EtcdProcess;
let directory: string;
/** What is in etcd, by key; what stays behind is not in it. */
const content = new Map<string, string>();

beforeAll(async () => {
  etcd = await EtcdProcess.start();
  await using store = await openDatastore({ type: 'etcd', endpoints: [etcd.endpoint] });
  const objects = parseJson(
    readFileSync(
      new URL('../../packages/datastore/test/vectors/calico-resources.json', import.meta.url),
      'utf8',
    ),
  ) as unknown as { readonly key: string; readonly value: unknown }[];
  for (const { key, value } of objects) content.set(key, stringifyJson(value));
  for (let i = 0; i < HANDLES; i++) {
    content.set(`${HANDLE}k8s.${i}`, `{"block":{"10.65.${i % 256}.0/26":1},"deleted":false}`);
  }
  for (let i = 0; i < ENDPOINTS; i++) content.set(...endpoint(i));
  const block = `{"cidr":"10.65.0.0/30","affinity":"host:h1","allocations":[null,null,null,null],"unallocated":[0,1,2,3],"attributes":[],"sequenceNumber":1789012345678901235,"sequenceNumberForAllocation":{},"deleted":false}`;
  content.set('/calico/ipam/v2/assignment/ipv4/block/10.65.0.0-30', block);
  content.set('/calico/ipam/v2/host/h1/ipv4/block/10.65.0.0-30', '');
  const peer = objects.find(({ key }) => key.endsWith('/bgppeers/leaf11')) as {
    value: { metadata: { uid: string } };
  };
  content.set(
    '/overland/v1/extensions/bgppeers/leaf11',
    `{"uid":"${peer.value.metadata.uid}","spec":{"passive":true}}`,
  );
  content.set('/overland/v1/hosts/h1', '{"uuid":"u","hostname":"h1"}');
  await fill(store, [...content, ['/overland/v1/agents/h1', ''], ['/registry/not-ours', 'x']]);
}, 60_000);
afterAll(() => etcd[Symbol.asyncDispose]());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'overland-transfer-'));
});
afterEach(() => rm(directory, { recursive: true }));

function endpoint(i: number): [string, string] {
  const name = `h1-k8s-web--${i}-eth0`;
  const object = {
    kind: 'WorkloadEndpoint',
    apiVersion: 'projectcalico.org/v3',
    metadata: { name, namespace: 'ns1', uid: `u${i}`, labels: { app: 'web' } },
    spec: { orchestrator: 'k8s', node: 'h1', pod: `web-${i}`, endpoint: 'eth0', later: null },
  };
  return [`${RESOURCES}workloadendpoints/ns1/${name}`, JSON.stringify(object)];
}

async function fill(store: Datastore, entries: readonly (readonly [string, string])[]) {
  for (let i = 0; i < entries.length; i += 100) {
    const operations = entries
      .slice(i, i + 100)
      .map(([key, value]) => ({ type: 'put', key, value }) as const);
    await store.transact({ conditions: [], operations });
  }
}

const environment = (place: string) =>
  place.startsWith('http') ? { ETCD_ENDPOINTS: place } : { OVERLAND_SQLITE_PATH: place };
const [program = '', ...programArgs] = OVERLAND;

/** Runs `overland datastore …` to its end. @returns Its standard output. */
async function overland(place: string, ...args: string[]): Promise<string> {
  const argv = [...programArgs, 'datastore', ...args];
  const env = { ...process.env, ...environment(place) };
  return (await run(program, argv, { env, cwd: directory })).stdout;
}

/** Starts the same, and kills it (SIGKILL) as soon as it `isDue`. */
async function killed(place: string, args: string[], isDue: () => Promise<unknown>): Promise<void> {
  const env = { ...process.env, ...environment(place) };
  const argv = [...programArgs, 'datastore', ...args];
  const child = spawn(program, argv, { env, cwd: directory, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await isDue();
  child.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
}

/** Resolves when so many keys have been written. */
async function written(store: Datastore, keys: number): Promise<void> {
  const stop = new AbortController();
  const { revision } = await store.list('', { limit: 1 });
  let seen = 0;
  for await (const change of store.watch('', stop.signal, revision)) {
    if (change.type === 'put' && ++seen >= keys) stop.abort();
  }
}

async function storedIn(store: Datastore): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  let after: string | undefined;
  do {
    const page = await store.list('', after === undefined ? {} : { after });
    for (const { key, value } of page.entries) found.set(key, value);
    after = page.next;
  } while (after !== undefined);
  return found;
}

async function storedAt(path: string): Promise<Map<string, string>> {
  await using store = await openDatastore({ type: 'sqlite', path });
  return await storedIn(store);
}

function asData(stored: ReadonlyMap<string, string>): Map<string, unknown> {
  return new Map([...stored].map(([key, value]) => [key, value === '' ? '' : parseJson(value)]));
}

const sums = (name: string) => readFile(join(directory, name, 'SHA256SUMS'), 'utf8');

test('etcd, a directory, SQLite, a directory: equal, with every process killed on the way', async () => {
  const folder = join(directory, 'x/resources/workloadendpoints/ns1');
  const hasFiles = async () => (await readdir(folder).catch(() => [])).length > 0;
  await killed(etcd.endpoint, ['export', 'x'], () => until('there are files', hasFiles, 20));
  const path = join(directory, 'b.db');
  await expect(overland(path, 'import', 'x')).rejects.toThrow('interrupted');
  const exported = await overland(etcd.endpoint, 'export', 'x');
  expect(exported).toContain(`Exported ${content.size} keys of etcd at`);
  expect(exported).toContain('Left out: agents that run (1 key)');
  await run('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: join(directory, 'x') });

  {
    await using target = await openDatastore({ type: 'sqlite', path });
    // At the first write, and at the first one of what is left.
    for (let kills = 0; kills < 2; kills++) {
      await killed(path, ['import', 'x'], () => written(target, 1));
      expect((await storedIn(target)).size).toBeLessThan(content.size);
    }
    // Nobody acts on half of it.
    const cluster = await target.get(`${RESOURCES}clusterinformations/default`);
    expect(cluster?.value).toContain('"datastoreReady":false');
  }
  expect(await overland(path, 'import', 'x')).toMatch(/\d+ keys written/);
  expect(asData(await storedAt(path))).toEqual(asData(content));
  await overland(path, 'export', 'y');
  expect(await sums('y')).toBe(await sums('x'));
});

test('etcd to SQLite and back to another etcd: equal to the letter, with every process killed on the way', async () => {
  await using second = await EtcdProcess.start();
  const path = join(directory, 'a.db');
  const places = [`etcd:${etcd.endpoint}`, `sqlite:${path}`, `etcd:${second.endpoint}`] as const;
  await using target = await openDatastore({ type: 'etcd', endpoints: [second.endpoint] });
  await using between = await openDatastore({ type: 'sqlite', path });
  for (const [from, to, store] of [
    [places[0], places[1], between],
    [places[1], places[2], target],
  ] as const) {
    const argv = ['migrate', '--from', from, '--to', to, '--unlocked'];
    await killed('none', argv, () => written(store, 100));
    expect((await storedIn(store)).size).toBeLessThan(content.size);
    expect(JSON.parse(await overland('none', ...argv, '-o', 'json'))).toMatchObject({
      onlyInTarget: 0,
      locked: false,
    });
  }
  expect(await storedIn(target)).toEqual(content);
});

test('what changes while it is read is exported as it was at one moment', async () => {
  await using store = await openDatastore({ type: 'etcd', endpoints: [etcd.endpoint] });
  const keys = [`${HANDLE}a-first`, `/overland/v1/last`];
  let isDone = false;
  let n = 0;
  const change = async () => {
    for (; !isDone; n++) {
      const value = String(n);
      const operations = keys.map((key) => ({ type: 'put', key, value }) as const);
      await store.transact({ conditions: [], operations });
    }
  };
  const changing = change();
  await overland(etcd.endpoint, 'export', 'x');
  isDone = true;
  await changing;
  const raw = async (name: string) => readFile(join(directory, 'x/raw', name), 'utf8');
  const [first] = /a-first","value":"(\d+)"/.exec(await raw('ipam-handles.jsonl')) ?? [];
  const last = /last","value":"(\d+)"/.exec(await raw('other-keys-of-overland.jsonl'))?.[1];
  expect(first).toBe(`a-first","value":"${last}"`);
  expect(Number(last)).toBeLessThan(n - 1);
  await store.transact({
    conditions: [],
    operations: keys.map((key) => ({ type: 'delete', key }) as const),
  });
});

test.each(['etcd', 'sqlite'] as const)(
  'writers that are under way when %s is locked write nothing more',
  async (type) => {
    await using fresh = type === 'etcd' ? await EtcdProcess.start() : undefined;
    const path = join(directory, 'locked.db');
    const open = () =>
      openDatastore(
        fresh ? { type: 'etcd', endpoints: [fresh.endpoint] } : { type: 'sqlite', path },
      );
    await using operator = await open();
    await using store = await open();
    const guarded = honourLock(store);
    const written: number[] = [];
    const refused = Array.from({ length: 16 }, async (_, writer) => {
      for (let n = 0; ; n++) {
        const operations = [{ type: 'put', key: `/w/${writer}`, value: String(n) } as const];
        try {
          await guarded.transact({ conditions: [], operations });
          written.push(n);
        } catch (error) {
          return error;
        }
      }
    });
    await until('all of them write', () => written.length > 200);
    await setLock(operator, true);
    const { revision } = await operator.list('', { limit: 1 });
    for (const error of await Promise.all(refused)) expect(error).toBeInstanceOf(LockedError);
    expect((await operator.list('', { limit: 1 })).revision).toBe(revision);
  },
);
