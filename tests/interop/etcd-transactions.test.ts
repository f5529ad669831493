import { type Datastore, openDatastore, type Revision } from '@overland/datastore';
import { EtcdProcess } from '@overland/datastore/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

// Transactions that are under way at the same time share requests: each must come out as if it were alone.

let etcd: EtcdProcess;
let store: Datastore;

beforeAll(async () => {
  etcd = await EtcdProcess.start();
  store = await openDatastore({ type: 'etcd', endpoints: [etcd.endpoint] });
});
afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await etcd[Symbol.asyncDispose]();
});

function create(key: string, value = key): Promise<Revision> {
  return store.transact({
    conditions: [{ type: 'absent', key }],
    operations: [{ type: 'put', key, value }],
  });
}

async function outcomes(work: readonly Promise<Revision>[]): Promise<string[]> {
  const settled = await Promise.allSettled(work);
  return settled.map((each) =>
    each.status === 'fulfilled' ? each.value : (each.reason as Error).name,
  );
}

test('of many at once each succeeds or fails by itself, and knows its revision', async () => {
  await create('/a/7');
  await create('/a/150');
  const keys = Array.from({ length: 200 }, (_, i) => `/a/${i}`);
  const found = await outcomes(keys.map((key) => create(key, 'new')));
  for (const [i, key] of keys.entries()) {
    const entry = await store.get(key);
    const wasThere = i === 7 || i === 150;
    expect(entry?.value).toBe(wasThere ? key : 'new');
    expect(found[i]).toBe(wasThere ? 'ConflictError' : entry?.revision);
  }
  // That requests were shared at all.
  expect(new Set(found).size).toBeLessThan(50);
});

test('the conflict of one has what stands in its way', async () => {
  await create('/b/taken');
  const work = Array.from({ length: 40 }, (_, i) => create(i === 20 ? '/b/taken' : `/b/${i}`));
  const [conflict] = (await Promise.allSettled(work)).flatMap((each) =>
    each.status === 'rejected' ? [each.reason as unknown] : [],
  );
  expect(conflict).toMatchObject({ key: '/b/taken', actual: { value: '/b/taken' } });
});

test('those that touch the same keys do not share a request: one wins', async () => {
  const found = await outcomes(Array.from({ length: 30 }, () => create('/c/one')));
  expect(found.filter((name) => name !== 'ConflictError')).toHaveLength(1);

  // Each writes a key of its own and one that all of them write.
  const guarded = Array.from({ length: 60 }, (_, i) =>
    store.transact({
      conditions: [{ type: 'absent', key: `/c/${i}` }],
      operations: [
        { type: 'put', key: `/c/${i}`, value: '' },
        { type: 'put', key: '/c/guard', value: '' },
      ],
    }),
  );
  expect(new Set(await outcomes(guarded)).size).toBe(60);
});

test('one that etcd refuses does not take the others along', async () => {
  const lease = await store.lease(60);
  await lease.revoke();
  const work = Array.from({ length: 40 }, (_, i) => {
    const put = {
      type: 'put',
      key: `/d/${i}`,
      value: 'x'.repeat(i === 9 ? 1_500_000 : 10),
    } as const;
    return store.transact({
      conditions: [],
      operations: [i === 20 ? { ...put, lease: lease.id } : put],
    });
  });
  const found = await outcomes(work);
  expect(found[20]).toBe('LeaseError');
  expect(found.filter((name) => name.endsWith('Error'))).toEqual(['LeaseError']);
});

test('what waits for an etcd that does not answer is given up in time', async () => {
  await using other = await openDatastore({
    type: 'etcd',
    endpoints: [etcd.endpoint],
    deadlineMs: 1000,
  });
  await other.get('/');
  await etcd.hang();
  try {
    const started = performance.now();
    const work = Array.from({ length: 10 }, (_, i) =>
      other.transact({ conditions: [], operations: [{ type: 'put', key: `/e/${i}`, value: '' }] }),
    );
    expect(new Set(await outcomes(work))).toEqual(new Set(['UnavailableError']));
    expect(performance.now() - started).toBeLessThan(4000);
  } finally {
    etcd.signal('SIGCONT');
  }
});
