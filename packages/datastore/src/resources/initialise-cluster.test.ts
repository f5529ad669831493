import { expect, test } from 'vitest';
import type { Datastore } from '../datastore.ts';
import { AccessDeniedError } from '../errors.ts';
import { MemoryDatastore } from '../memory/memory-datastore.ts';
import { setLock } from '../transfer/lock.ts';
import { initialiseCluster } from './initialise-cluster.ts';

const PREFIX = '/calico/resources/v3/projectcalico.org/';
const TIERS = ['Tier(kube-admin)', 'Tier(default)', 'Tier(kube-baseline)'];

let made = 0;
const options = {
  randomUuid: () => `00000000-0000-4000-8000-00000000000${++made % 10}`,
  now: () => new Date('2026-01-05T10:00:00Z'),
};

async function json(store: Datastore, path: string): Promise<unknown> {
  const entry = await store.get(PREFIX + path);
  return entry && JSON.parse(entry.value);
}

test('makes the three tiers and an object with an id of its own', async () => {
  const store = new MemoryDatastore();
  expect(await initialiseCluster(store, options)).toEqual([
    ...TIERS,
    'ClusterInformation(default)',
  ]);
  expect(await json(store, 'clusterinformations/default')).toEqual({
    apiVersion: 'projectcalico.org/v3',
    kind: 'ClusterInformation',
    metadata: {
      name: 'default',
      uid: expect.any(String),
      creationTimestamp: '2026-01-05T10:00:00Z',
    },
    spec: {
      clusterGUID: expect.stringMatching(/^[0-9a-f]{32}$/),
      clusterType: 'overland,bgp',
      datastoreReady: true,
    },
  });
  const tiers = ['default', 'kube-admin', 'kube-baseline'];
  const specs = await Promise.all(tiers.map((name) => json(store, `tiers/${name}`)));
  expect(specs).toMatchObject([
    { spec: { order: 1_000_000, defaultAction: 'Deny' } },
    { spec: { order: 1000, defaultAction: 'Pass' } },
    { spec: { order: 10_000_000, defaultAction: 'Pass' } },
  ]);
});

test('a second time, and in the cluster of somebody else, makes only what is missing', async () => {
  const store = new MemoryDatastore();
  const value = JSON.stringify({ kind: 'ClusterInformation', spec: { clusterGUID: 'theirs' } });
  const key = `${PREFIX}clusterinformations/default`;
  await store.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
  expect(await initialiseCluster(store)).toEqual(TIERS);
  expect((await store.get(key))?.value).toBe(value);
  const before = await store.list('/');
  expect(await initialiseCluster(store)).toEqual([]);
  expect(await store.list('/')).toEqual(before);
});

test('many at once make one cluster', async () => {
  const store = new MemoryDatastore();
  const all = await Promise.all(Array.from({ length: 8 }, () => initialiseCluster(store)));
  expect(all.flat().toSorted()).toEqual([...TIERS, 'ClusterInformation(default)'].toSorted());
});

test('a locked datastore stays as it is', async () => {
  const store = new MemoryDatastore();
  await setLock(store, true);
  const before = await store.list('/');
  expect(await initialiseCluster(store)).toEqual([]);
  expect(await store.list('/')).toEqual(before);
});

test('who may not write leaves it to others', async () => {
  const store = new MemoryDatastore();
  const denied = (): Promise<never> => Promise.reject(new AccessDeniedError('no'));
  const reader = { get: (key: string) => store.get(key), transact: denied } as unknown as Datastore;
  expect(await initialiseCluster(reader)).toEqual([]);
});
