import {
  AccessDeniedError,
  type Datastore,
  honourLock,
  MemoryDatastore,
  setLock,
  UnavailableError,
} from '@overland/datastore';
import { expect, test, vi } from 'vitest';
import { DatastoreReach } from './datastore-reach.ts';

/** A datastore of which calls can be made to fail. */
function failing(): { store: Datastore; refuse: (calls: readonly string[]) => void } {
  const memory = new MemoryDatastore();
  let refused: readonly string[] = [];
  const store = new Proxy(memory, {
    get(target, property) {
      if (refused.includes(String(property)))
        return () => Promise.reject(new UnavailableError('the disk is full'));
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return {
    store,
    refuse: (calls) => {
      refused = calls;
    },
  };
}

const PUT = {
  conditions: [],
  operations: [{ type: 'put', key: '/a', value: '1' } as const],
};
const CONFLICT = { ...PUT, conditions: [{ type: 'absent', key: '/a' } as const] };

test('a fault shows with the first call that fails, and goes with the first that passes', async () => {
  const { store, refuse } = failing();
  const reach = new DatastoreReach();
  const observed = reach.observe(store);
  await observed.transact(PUT);
  expect(reach.fault).toBeUndefined();
  refuse(['get']);
  await expect(observed.get('/a')).rejects.toThrow('the disk is full');
  expect(reach.fault).toBe('the disk is full');
  refuse([]);
  await observed.list('/');
  expect(reach.fault).toBeUndefined();
});

test('reads and conflicts do not excuse writes', async () => {
  const { store, refuse } = failing();
  const reach = new DatastoreReach();
  const observed = reach.observe(store);
  await observed.transact(PUT);
  refuse(['transact']);
  await expect(observed.transact(PUT)).rejects.toThrow('the disk is full');
  refuse([]);
  await observed.get('/a');
  await expect(observed.transact(CONFLICT)).rejects.toThrow('/a');
  expect(reach.fault).toBe('the disk is full');
  expect(reach.refusesWrites).toBe(true);
  await observed.transact(PUT);
  expect(reach.fault).toBeUndefined();
});

test('a watch that is refused is named, and begins when it is allowed', async () => {
  await using inner = new MemoryDatastore();
  const reach = new DatastoreReach(20);
  const allowed = new AbortController();
  let attempts = 0;
  const store = reach.observe({
    isPrivate: true,
    get: (key) => inner.get(key),
    list: (prefix) => inner.list(prefix),
    transact: (transaction) => inner.transact(transaction),
    lease: (ttlSeconds) => inner.lease(ttlSeconds),
    compact: (revision) => inner.compact(revision),
    async *watch(prefix, signal) {
      attempts++;
      if (!allowed.signal.aborted) throw new AccessDeniedError(`watching ${prefix}: denied`);
      yield* inner.watch(prefix, signal);
    },
    async [Symbol.asyncDispose]() {},
  });
  const stop = new AbortController();
  const first = store.watch('/a/', stop.signal)[Symbol.asyncIterator]().next();
  await vi.waitFor(() => expect(reach.fault).toBe('watching /a/: denied'));
  await store.get('/b');
  expect(reach.fault).toBe('watching /a/: denied');
  allowed.abort();
  expect((await first).value).toMatchObject({ type: 'synced' });
  expect(reach.fault).toBeUndefined();
  expect(attempts).toBeGreaterThan(1);
  stop.abort();
});

test('a lock is told from an outage, until a write passes or a read fails', async () => {
  const { store, refuse } = failing();
  const reach = new DatastoreReach();
  const observed = reach.observe(honourLock(store));
  await setLock(store, true);
  await expect(observed.transact(PUT)).rejects.toThrow('is locked');
  expect(reach).toMatchObject({ isLocked: true, refusesWrites: true });
  refuse(['get']);
  await expect(observed.get('/a')).rejects.toThrow('the disk is full');
  expect(reach).toMatchObject({ isLocked: false, fault: 'the disk is full' });
  refuse([]);
  await observed.get('/a');
  expect(reach.isLocked).toBe(true);
  await setLock(store, false);
  await observed.transact(PUT);
  expect(reach).toMatchObject({ isLocked: false, fault: undefined });
});
