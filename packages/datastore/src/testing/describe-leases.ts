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
}
