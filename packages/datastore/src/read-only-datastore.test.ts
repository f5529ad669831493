import { expect, test } from 'vitest';
import type { Revision } from './datastore.ts';
import { openDatastore } from './open-datastore.ts';

test('opened read-only, every write is refused by name, and reads are not', async () => {
  // Nothing listens there: what is refused was not sent.
  await using store = await openDatastore({
    type: 'etcd',
    endpoints: ['127.0.0.1:9'],
    deadlineMs: 50,
    readOnly: true,
  });
  const operations = [
    { type: 'put', key: '/calico/a', value: '' },
    { type: 'delete', key: '/calico/b' },
  ] as const;
  for (const refused of [
    store.transact({ conditions: [], operations }),
    store.lease(5),
    store.compact('1' as Revision),
  ]) {
    await expect(refused).rejects.toMatchObject({ name: 'ReadOnlyError' });
  }
  await expect(store.transact({ conditions: [], operations })).rejects.toThrow(
    'put /calico/a and 1 more is refused',
  );
  await expect(store.get('/calico/a')).rejects.toMatchObject({ name: 'UnavailableError' });
});

test('it lists, watches and tests conditions', async () => {
  await using store = await openDatastore({ type: 'memory', readOnly: true });
  expect((await store.list('/')).entries).toEqual([]);
  await store.transact({ conditions: [{ type: 'absent', key: '/a' }], operations: [] });
  const changes = store.watch('/', new AbortController().signal)[Symbol.asyncIterator]();
  expect((await changes.next()).value).toMatchObject({ type: 'synced' });
});
