import { CLUSTER_INFORMATION_KEY } from '@overland/model';
import { describe, expect, test } from 'vitest';
import { LockedError } from './errors.ts';
import { honourLock } from './honour-lock.ts';
import { MemoryDatastore } from './memory/memory-datastore.ts';
import { MemoryStore } from './memory/memory-store.ts';
import { describeDatastore } from './testing/describe-datastore.ts';
import { put, shown, write } from './testing/operations.ts';
import { setLock } from './transfer/lock.ts';

describeDatastore('memory behind a lock that is open', async () => {
  const state = new MemoryStore();
  return {
    connect: async () => honourLock(new MemoryDatastore(state)),
    async [Symbol.asyncDispose]() {},
  };
});

/** A client that honours the lock, and another that sets it. */
function clients() {
  const state = new MemoryStore();
  return { store: honourLock(new MemoryDatastore(state)), operator: new MemoryDatastore(state) };
}

describe('a locked datastore', () => {
  test('takes no write, can be read, and takes writes again when it is unlocked', async () => {
    const { store, operator } = clients();
    await store.transact(write(put('/a', '1')));
    await setLock(operator, true);
    const attempt = store.transact(write(put('/a', '2')));
    await expect(attempt).rejects.toBeInstanceOf(LockedError);
    await expect(attempt).rejects.toThrow("'overland datastore unlock' ends that");
    expect(shown((await store.list('/a')).entries)).toEqual(['/a=1']);
    await setLock(operator, false);
    await store.transact(write(put('/a', '3')));
    expect((await store.get('/a'))?.value).toBe('3');
  });

  test('takes none that was under way when it was locked', async () => {
    const { store, operator } = clients();
    await store.transact(write(put('/a', '1')));
    // The client still thinks that it is unlocked, and does not look.
    await setLock(operator, true);
    const reads = operator.list('');
    await expect(store.transact(write(put('/late', '')))).rejects.toBeInstanceOf(LockedError);
    expect(shown((await reads).entries).filter((line) => line.startsWith('/late'))).toEqual([]);
    expect(await operator.get('/late')).toBeUndefined();
  });

  test('is one whose ClusterInformation cannot be read', async () => {
    const { store, operator } = clients();
    await operator.transact(write(put(CLUSTER_INFORMATION_KEY, 'no JSON')));
    await expect(store.transact(write(put('/a')))).rejects.toBeInstanceOf(LockedError);
  });
});

test('a ClusterInformation that changes otherwise is no obstacle', async () => {
  const { store, operator } = clients();
  await store.transact(write(put('/a', '1')));
  for (const spec of ['{}', '{"datastoreReady":true}', '{"clusterType":"x"}']) {
    await operator.transact(write(put(CLUSTER_INFORMATION_KEY, `{"spec":${spec}}`)));
    await store.transact(write(put('/a', spec)));
  }
  await operator.transact(write({ type: 'delete', key: CLUSTER_INFORMATION_KEY }));
  await store.transact(write(put('/a', 'end')));
  expect((await operator.get('/a'))?.value).toBe('end');
});

test("a conflict is the caller's, on the ClusterInformation as well", async () => {
  const { store, operator } = clients();
  await store.transact(write(put('/a', '1')));
  await operator.transact(write(put(CLUSTER_INFORMATION_KEY, '{}')));
  for (const key of ['/a', CLUSTER_INFORMATION_KEY]) {
    const attempt = store.transact({
      conditions: [{ type: 'absent', key }],
      operations: [put(key, '')],
    });
    await expect(attempt).rejects.toMatchObject({ name: 'ConflictError', key });
  }
});
