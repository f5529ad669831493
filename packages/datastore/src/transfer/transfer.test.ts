import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLUSTER_INFORMATION_KEY } from '@overland/model';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Datastore } from '../datastore.ts';
import { MemoryDatastore } from '../memory/memory-datastore.ts';
import { MemoryStore } from '../memory/memory-store.ts';
import { put, shown, write } from '../testing/operations.ts';
import { isLocked, setLock } from './lock.ts';
import { readDatastore } from './read-datastore.ts';
import { readDirectory } from './read-directory.ts';
import { transfer } from './transfer.ts';
import { exportDirectory } from './write-directory.ts';

const RESOURCES = '/calico/resources/v3/projectcalico.org/';
const CLUSTER = `{"kind":"ClusterInformation","metadata":{"name":"default"},"spec":{"clusterGUID":"ab","datastoreReady":true}}`;
const NOW = () => new Date('2026-11-27T06:00:00Z');
/** What else is to be written to this disk is not waited for. */
const FLUSH = async () => undefined;

/** Something of everything. */
const CONTENT: Readonly<Record<string, string>> = {
  '/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-30':
    '{"cidr":"10.0.0.0/30","affinity":"host:h1","allocations":[0,null,null,null],"unallocated":[1,2,3],"attributes":[{"handle_id":"x","secondary":null}],"sequenceNumber":1789012345678901235,"sequenceNumberForAllocation":{"0":1789012345678901235},"deleted":false}',
  '/calico/ipam/v2/config': '{"strict_affinity":true}',
  '/calico/ipam/v2/handle/x': '{"block":{"10.0.0.0/30":1},"deleted":false}',
  '/calico/ipam/v2/host/h1': '',
  '/calico/ipam/v2/host/h1/ipv4/block/10.0.0.0-30': '',
  '/calico/v1/unknown ü\n': 'no JSON "at all"\n',
  [`${RESOURCES}bgppeers/leaf11`]:
    '{"kind":"BGPPeer","apiVersion":"projectcalico.org/v3","metadata":{"name":"leaf11","uid":"u1"},"spec":{"peerIP":"10.0.0.1","asNumber":65001}}',
  [CLUSTER_INFORMATION_KEY]: CLUSTER,
  [`${RESOURCES}ippools/odd`]: 'not JSON',
  [`${RESOURCES}workloadendpoints/ns1/h1-k8s-pod-eth0`]:
    '{"kind":"WorkloadEndpoint","apiVersion":"projectcalico.org/v3","metadata":{"name":"h1-k8s-pod-eth0","namespace":"ns1","generation":9223372036854775807,"labels":null},"spec":{"node":"h1"},"status":{"later":[1]}}',
  '/overland/v1/extensions/bgppeers/gone': '{"uid":"u0","spec":{"passive":true}}',
  '/overland/v1/extensions/bgppeers/leaf11': '{"uid":"u1","spec":{"holdTime":"9s"}}',
  '/overland/v1/hosts/h1': '{"uuid":"00","hostname":"h1"}',
};

const STAYS: Readonly<Record<string, string>> = {
  '/calico/felix/v1/host/h1/endpoint/e': '{"status":"up"}',
  '/overland/v1/agents/h1': '',
  '/overland/v1/leaders/compaction': '',
  '/overland/v2/x': '',
};

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'overland-transfer-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function filled(...contents: Readonly<Record<string, string>>[]): Promise<MemoryDatastore> {
  const store = new MemoryDatastore();
  const entries = contents.flatMap((content) => Object.entries(content));
  if (entries.length > 0) {
    await store.transact(write(...entries.map(([key, value]) => put(key, value))));
  }
  return store;
}

async function contentOf(store: Datastore): Promise<string[]> {
  return shown((await store.list('')).entries);
}

function exportInto(store: Datastore, path = join(directory, 'x')) {
  return exportDirectory({ store, location: 'memory', directory: path, now: NOW, flush: FLUSH });
}

/** A client that does something before each of its writes. */
function intercepted(store: Datastore, beforeWrite: () => Promise<void>): Datastore {
  return {
    isPrivate: store.isPrivate,
    get: (key) => store.get(key),
    list: (prefix, options) => store.list(prefix, options),
    async transact(transaction) {
      if (transaction.operations.length > 0) await beforeWrite();
      return await store.transact(transaction);
    },
    watch: (prefix, signal) => store.watch(prefix, signal),
    lease: (seconds) => store.lease(seconds),
    compact: (revision) => store.compact(revision),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

const from = (store: Datastore) => readDatastore(store, 'memory');

describe('from datastore to datastore', () => {
  test('every key arrives to the letter, but those that live under a lease', async () => {
    const target = await filled();
    const source = await filled(CONTENT, STAYS, { '/other/cluster': 'x' });
    const report = await transfer({ source: await from(source), target });
    expect(await contentOf(target)).toEqual(await contentOf(await filled(CONTENT)));
    expect(report.total).toEqual({ create: 13, change: 0, same: 0 });
    expect(report.counts).toMatchObject({
      BGPPeer: { create: 1 },
      'IPAM blocks': { create: 1 },
      'IPAM hosts': { create: 1 },
      extensions: { create: 2 },
      "other keys of Calico's": { create: 1 },
    });
    expect(report.leftOut).toMatchObject([
      { what: 'Felix status', keys: 1 },
      { what: 'agents that run', keys: 1 },
      { what: 'elections', keys: 1 },
      { what: 'keys of another layout of Overland', keys: 1 },
    ]);
  });

  test('a second time writes nothing', async () => {
    const state = new MemoryStore();
    const target = new MemoryDatastore(state);
    const source = await from(await filled(CONTENT));
    await transfer({ source, target });
    const { revision } = await target.list('');
    const report = await transfer({ source, target });
    expect(report.total).toEqual({ create: 0, change: 0, same: 13 });
    expect((await target.list('')).revision).toBe(revision);
  });

  test('one that differs stops everything before anything is written', async () => {
    const other = { '/calico/ipam/v2/config': '{}', [`${RESOURCES}ippools/odd`]: '' };
    const target = await filled(other, { '/calico/ipam/v2/handle/own': '{}' });
    const source = await from(await filled(CONTENT));
    const before = await contentOf(target);
    const attempt = transfer({ source, target });
    await expect(attempt).rejects.toMatchObject({
      name: 'TransferConflictError',
      keys: Object.keys(other),
      message: `2 keys differ in the target:\n${Object.keys(other).join('\n')}`,
    });
    expect(await contentOf(target)).toEqual(before);

    const report = await transfer({ source, target, overwrite: true });
    expect(report).toMatchObject({ total: { create: 11, change: 2, same: 0 }, onlyInTarget: 1 });
    expect(await contentOf(target)).toEqual(
      await contentOf(await filled(CONTENT, { '/calico/ipam/v2/handle/own': '{}' })),
    );
  });

  test('the same data in another spelling is the same', async () => {
    const spelt = {
      '/calico/ipam/v2/handle/x': '{ "deleted": false, "block": {"10.0.0.0/30": 1} }',
    };
    const target = await filled(spelt);
    const report = await transfer({ source: await from(await filled(CONTENT)), target });
    expect(report.total).toEqual({ create: 12, change: 0, same: 1 });
  });

  test('a dry run tells each key and writes none', async () => {
    const target = await filled({ '/calico/ipam/v2/config': '{}' });
    const told: string[] = [];
    const source = await from(await filled(CONTENT));
    const report = await transfer({
      source,
      target,
      dryRun: true,
      onCompared: ({ key, verdict }) => told.push(`${verdict} ${key}`),
    });
    expect(report.total).toEqual({ create: 12, change: 1, same: 0 });
    expect(told).toHaveLength(13);
    expect(told).toContain('change /calico/ipam/v2/config');
    expect(await contentOf(target)).toEqual(['/calico/ipam/v2/config={}']);
  });

  test('what changes meanwhile does not: one revision is moved', async () => {
    const store = await filled(CONTENT);
    const source = await from(store);
    await store.transact(
      write(put('/calico/ipam/v2/config', '{}'), put(`${RESOURCES}nodes/n`, '{}')),
    );
    const target = await filled();
    await transfer({ source, target });
    expect(await contentOf(target)).toEqual(await contentOf(await filled(CONTENT)));
  });

  test('a value too large for the target is named before anything is written', async () => {
    const state = new MemoryStore();
    const key = `${RESOURCES}ippools/big`;
    const value = 'x'.repeat(2_000_000);
    // Past the check of this client: an etcd can be told to take more.
    state.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
    const target = await filled();
    const attempt = transfer({ source: await from(new MemoryDatastore(state)), target });
    await expect(attempt).rejects.toMatchObject({
      name: 'LimitError',
      message: expect.stringContaining(key),
    });
    expect(await contentOf(target)).toEqual([]);
  });
});

test('a secret is not sent where others could read it; nothing is written then', async () => {
  const key = '/overland/v1/extensions/bgppeers/leaf11';
  const secret = { [key]: '{"uid":"u1","spec":{"password":{"value":"hush"}}}' };
  const source = await from(await filled({ ...CONTENT, ...secret }));
  const target = Object.assign(await filled(), { isPrivate: false });
  const attempt = transfer({ source, target });
  await expect(attempt).rejects.toThrow(`${key} holds a secret, which must not be sent`);
  await expect(attempt).rejects.not.toThrow('hush');
  expect(await contentOf(target)).toEqual([]);
  await transfer({ source, target: await filled() });
});

describe('while it is written to, the target is locked,', () => {
  /** States of the ClusterInformation that a watcher sees. */
  async function statesDuring(content: Readonly<Record<string, string>>, target: MemoryDatastore) {
    const states: (boolean | 'absent')[] = [];
    const state = new AbortController();
    const seen = (async () => {
      for await (const change of target.watch(CLUSTER_INFORMATION_KEY, state.signal)) {
        if (change.type === 'put') states.push(isLocked(change.entry.value));
        if (change.type === 'delete') states.push('absent');
      }
    })();
    await transfer({ source: await from(await filled(content)), target });
    state.abort();
    await seen;
    return states;
  }

  test('and unlocked as the source was', async () => {
    expect(await statesDuring(CONTENT, await filled())).toEqual([true, false]);
  });

  test('and stays locked if the source was', async () => {
    const store = await filled(CONTENT);
    await setLock(store, true);
    const target = await filled();
    const report = await transfer({ source: await from(store), target });
    expect(report.locked).toBe(true);
    expect(isLocked((await target.get(CLUSTER_INFORMATION_KEY))?.value)).toBe(true);
  });

  test('unless somebody makes one of his own meanwhile: that is no longer what was compared', async () => {
    const target = await filled();
    const own = put(CLUSTER_INFORMATION_KEY, '{"spec":{}}');
    const late = intercepted(target, async () => void (await target.transact(write(own))));
    const attempt = transfer({ source: await from(await filled(CONTENT)), target: late });
    await expect(attempt).rejects.toMatchObject({ key: CLUSTER_INFORMATION_KEY });
    expect(await contentOf(target)).toEqual([`${CLUSTER_INFORMATION_KEY}={"spec":{}}`]);
  });

  test('also when there is no ClusterInformation to move', async () => {
    const { [CLUSTER_INFORMATION_KEY]: _, ...others } = CONTENT;
    expect(await statesDuring(others, await filled())).toEqual([true, 'absent']);
    const own = await filled({ [CLUSTER_INFORMATION_KEY]: CLUSTER });
    expect(await statesDuring(others, own)).toEqual([false, true, false]);
  });
});

describe('interrupted after any write and begun again,', () => {
  /** A client whose process dies after so many writes. */
  function dying(store: Datastore, writes: number): Datastore {
    let left = writes;
    return intercepted(store, async () => {
      if (left-- <= 0) throw new Error('killed');
    });
  }

  const { [CLUSTER_INFORMATION_KEY]: _, ...withoutCluster } = CONTENT;
  test.each([
    ['with a ClusterInformation', CONTENT],
    ['without one', withoutCluster],
  ])('ends at the same state, %s', async (_what, content) => {
    // Many batches: pages of many handles.
    const many = Object.fromEntries(
      Array.from({ length: 700 }, (_, i) => [`/calico/ipam/v2/handle/many-${i}`, '{}']),
    );
    const store = new MemoryDatastore();
    for (const part of [content, ...partsOf(many)]) {
      await store.transact(write(...Object.entries(part).map(([k, v]) => put(k, v))));
    }
    const source = await from(store);
    let died = 0;
    for (let writes = 0; writes < 20; writes++) {
      const target = await filled();
      const first = transfer({ source, target: dying(target, writes) });
      const outcome = await first.then(
        () => 'done',
        () => 'killed',
      );
      if (outcome === 'killed') {
        died++;
        const held = await target.get(CLUSTER_INFORMATION_KEY);
        if (writes > 0) expect(isLocked(held?.value)).toBe(true);
      }
      await transfer({ source, target });
      expect(await contentOf(target)).toEqual(await contentOf(store));
    }
    expect(died).toBeGreaterThan(5);
    expect(died).toBeLessThan(20);
  });

  function partsOf(content: Readonly<Record<string, string>>) {
    const entries = Object.entries(content);
    return [0, 1, 2, 3, 4, 5, 6].map((i) =>
      Object.fromEntries(entries.slice(i * 100, i * 100 + 100)),
    );
  }
});

describe('through a directory', () => {
  test('everything comes back equal as data, and is exported the same again', async () => {
    const store = await filled(CONTENT, STAYS);
    const index = await exportInto(store);
    expect(index).toMatchObject({ keys: 13, locked: false, source: 'memory', revision: '2' });
    const target = await filled();
    const source = await readDirectory(join(directory, 'x'));
    await transfer({ source, target });
    const again = await exportInto(target, join(directory, 'y'));
    expect({ ...again, revision: '2', leftOut: [] }).toEqual({ ...index, leftOut: [] });
    // And the other way round: nothing is left to do.
    const back = await transfer({ source: await from(target), target: store });
    expect(back.total).toEqual({ create: 0, change: 0, same: 13 });
  });

  test('is readable by its owner only, one file for an object', async () => {
    await exportInto(await filled(CONTENT));
    const root = join(directory, 'x');
    const names = (await readdir(root, { recursive: true })).toSorted();
    expect(names.filter((name) => name.includes('.') || name === 'SHA256SUMS')).toEqual([
      'SHA256SUMS',
      'index.json',
      'raw/extensions.jsonl',
      'raw/host-names.jsonl',
      'raw/ipam-affinities.jsonl',
      'raw/ipam-blocks.jsonl',
      'raw/ipam-configuration.jsonl',
      'raw/ipam-handles.jsonl',
      'raw/ipam-hosts.jsonl',
      'raw/other-keys-of-calico-s.jsonl',
      'raw/resources.jsonl',
      'resources/bgppeers/leaf11.yaml',
      'resources/clusterinformations/default.yaml',
      'resources/workloadendpoints/ns1/h1-k8s-pod-eth0.yaml',
    ]);
    for (const name of ['', ...names]) {
      const { mode } = await stat(join(root, name));
      expect((mode & 0o077).toString(8)).toBe('0');
    }
    const peer = await readFile(join(root, 'resources/bgppeers/leaf11.yaml'), 'utf8');
    expect(peer).toContain('holdTime: "9s"');
  });

  test('a changed file is found before anything is written, and taken if that is asked for', async () => {
    await exportInto(await filled(CONTENT));
    const path = join(directory, 'x/resources/bgppeers/leaf11.yaml');
    await writeFile(path, (await readFile(path, 'utf8')).replace('65001', '65002'));
    const target = await filled();
    const attempt = transfer({ source: await readDirectory(join(directory, 'x')), target });
    await expect(attempt).rejects.toThrow(
      'resources/bgppeers/leaf11.yaml is not what was exported',
    );
    expect(await contentOf(target)).toEqual([]);
    await transfer({
      source: await readDirectory(join(directory, 'x'), { allowEdited: true }),
      target,
    });
    expect((await target.get(`${RESOURCES}bgppeers/leaf11`))?.value).toContain('65002');
  });

  test.each([
    [
      'raw/ipam-hosts.jsonl',
      '{"key":"/calico/ipam/v2/host/h1","value":"x"}\n',
      'not what was exported',
    ],
    [
      'raw/ipam-hosts.jsonl',
      '{"key":"/etc/x","value":"x"}\n',
      '/etc/x is no key that an export holds',
    ],
    ['raw/ipam-hosts.jsonl', 'x\n', 'is not valid JSON'],
    ['SHA256SUMS', '', 'SHA256SUMS is not what was exported'],
    ['SHA256SUMS', `${'0'.repeat(64)}  ../../etc/passwd\n`, 'names ../../etc/passwd'],
    ['index.json', '{}', 'is not the index of an export'],
    [
      'index.json',
      '{"format":"overland-datastore-export","version":2,"sums":""}',
      'version 2 of the format',
    ],
    ['INCOMPLETE', '', 'was interrupted: export again'],
  ])('%s with %j is refused: %s', async (name, text, message) => {
    await exportInto(await filled(CONTENT));
    await writeFile(join(directory, 'x', name), text);
    const target = await filled();
    const attempt = (async () =>
      transfer({ source: await readDirectory(join(directory, 'x')), target }))();
    await expect(attempt).rejects.toMatchObject({
      name: 'UnusableError',
      message: expect.stringContaining(message),
    });
    expect(await contentOf(target)).toEqual([]);
  });

  test('an export that was interrupted is begun anew; anything else is left alone', async () => {
    const store = await filled(CONTENT);
    const index = await exportInto(store);
    await expect(exportInto(store)).rejects.toThrow('holds an export already');
    await writeFile(join(directory, 'x/INCOMPLETE'), '');
    await writeFile(join(directory, 'x/resources/bgppeers/old.yaml'), 'x');
    expect(await exportInto(store)).toEqual(index);
    expect(await readdir(join(directory, 'x/resources/bgppeers'))).toEqual(['leaf11.yaml']);
    await expect(exportInto(store, directory)).rejects.toThrow('is not empty');
  });

  test('an export whose revision is compacted away begins again at a newer one', async () => {
    const state = new MemoryStore();
    const store = new MemoryDatastore(state);
    for (let i = 0; i < 12; i++) {
      const keys = Array.from({ length: 100 }, (_, j) =>
        put(`/calico/ipam/v2/handle/${i}-${j}`, '{}'),
      );
      await store.transact(write(...keys));
    }
    let compacted = false;
    const index = await exportDirectory({
      store,
      location: 'memory',
      directory: join(directory, 'x'),
      now: NOW,
      flush: FLUSH,
      onProgress: () => {
        if (compacted) return;
        compacted = true;
        state.transact(write(put('/calico/ipam/v2/handle/new', '{}')));
        state.compact();
      },
    });
    expect(index).toMatchObject({ keys: 1201, revision: '14' });
  });
});

test('a lock makes a ClusterInformation if there is none, and keeps what is in one', async () => {
  const store = await filled();
  expect(await setLock(store, true, () => '11111111-2222-3333-4444-555555555555')).toBe(true);
  const made = JSON.parse((await store.get(CLUSTER_INFORMATION_KEY))?.value ?? '');
  expect(made.spec).toEqual({
    clusterGUID: '11111111222233334444555555555555',
    datastoreReady: false,
  });
  expect(await setLock(store, true)).toBe(false);
  expect(await setLock(store, false)).toBe(true);
  expect(JSON.parse((await store.get(CLUSTER_INFORMATION_KEY))?.value ?? '')).toEqual({
    ...made,
    spec: { ...made.spec, datastoreReady: true },
  });
});
