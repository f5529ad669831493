import { expect, test, vi } from 'vitest';
import type { Open } from './harness.ts';
import { put, shown, write } from './operations.ts';

const LEASE_DEADLINE = { timeout: 15_000, interval: 50 };

export function describeLeases(open: Open): void {
  test('a revoked lease takes its keys along, and only those', { timeout: 20_000 }, async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const lease = await store.lease(5);
    await store.transact(write(put('/mine', '', lease.id), put('/other')));
    await lease.revoke();
    expect(shown((await store.list('/')).entries)).toEqual(['/other=']);
    expect(lease.lost.aborted).toBe(true);
  });

  test('a lease is kept alive past its time', { timeout: 20_000 }, async () => {
    await using harness = await open();
    await using store = await harness.connect();
    await using other = await harness.connect();
    const [lease, abandoned] = [await store.lease(1), await other.lease(1)];
    await store.transact(write(put('/kept', '', lease.id)));
    await other.transact(write(put('/abandoned', '', abandoned.id)));
    // Another lease of the same length, not kept, is the clock of this test.
    await other[Symbol.asyncDispose]();
    expect(abandoned.lost.aborted).toBe(true);
    await vi.waitFor(async () => {
      expect(await store.get('/abandoned')).toBeUndefined();
    }, LEASE_DEADLINE);
    expect(await store.get('/kept')).toBeDefined();
    expect(lease.lost.aborted).toBe(false);
  });

  test('a key put again without its lease outlives it', { timeout: 20_000 }, async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const lease = await store.lease(5);
    await store.transact(write(put('/a', '', lease.id)));
    await store.transact(write(put('/a', 'free')));
    await lease.revoke();
    expect((await store.get('/a'))?.value).toBe('free');
  });

  test('nothing is put under a lease that has ended', { timeout: 20_000 }, async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const lease = await store.lease(5);
    await lease.revoke();
    const attempt = store.transact(write(put('/a', '', lease.id)));
    await expect(attempt).rejects.toMatchObject({ name: 'LeaseError' });
    expect(await store.get('/a')).toBeUndefined();
  });

  test('a key put under another lease lives with that one', { timeout: 20_000 }, async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const [one, two] = [await store.lease(5), await store.lease(5)];
    await store.transact(write(put('/a', '1', one.id), put('/b', '1', two.id)));
    await store.transact(write(put('/a', '2', two.id)));
    await one.revoke();
    expect(shown((await store.list('/')).entries)).toEqual(['/a=2', '/b=1']);
    await two.revoke();
    expect(shown((await store.list('/')).entries)).toEqual([]);
  });

  test('a key that was deleted, and came again, is not the lease of the first', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const lease = await store.lease(5);
    await store.transact(write(put('/a', '1', lease.id)));
    await store.transact(write({ type: 'delete', key: '/a' }));
    await store.transact(write(put('/a', '2')));
    await lease.revoke();
    expect((await store.get('/a'))?.value).toBe('2');
  });

  test('watches see the keys of a lease go, and an old revision still has them', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const lease = await store.lease(5);
    const stop = new AbortController();
    await store.transact(write(put('/a', '1', lease.id), put('/b', '1', lease.id)));
    const { revision } = await store.list('/');
    const deleted: string[] = [];
    for await (const change of store.watch('/', stop.signal)) {
      if (change.type === 'synced') await lease.revoke();
      if (change.type === 'delete') deleted.push(change.key);
      if (deleted.length === 2) stop.abort();
    }
    expect(deleted.toSorted()).toEqual(['/a', '/b']);
    expect(shown((await store.list('/', { revision })).entries)).toEqual(['/a=1', '/b=1']);
  });

  test('a lease is ended once, however often it is revoked', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const lease = await store.lease(5);
    await lease.revoke();
    const { revision } = await store.list('/');
    await lease.revoke();
    expect((await store.list('/')).revision).toBe(revision);
  });
}
