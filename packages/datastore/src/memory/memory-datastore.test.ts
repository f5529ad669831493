import { expect, test } from 'vitest';
import { describeDatastore } from '../testing/describe-datastore.ts';
import { describeResources } from '../testing/describe-resources.ts';
import type { Open } from '../testing/harness.ts';
import { MemoryDatastore } from './memory-datastore.ts';
import { MemoryStore } from './memory-store.ts';

const open: Open = async () => {
  const store = new MemoryStore();
  return { connect: async () => new MemoryDatastore(store), async [Symbol.asyncDispose]() {} };
};

describeDatastore('memory', open);
describeResources('memory', open);

test('an outage fails every call and passes', async () => {
  await using store = new MemoryDatastore();
  {
    using _outage = store.outage();
    await expect(store.get('/a')).rejects.toMatchObject({ name: 'UnavailableError' });
    const attempt = store.transact({ conditions: [], operations: [] });
    await expect(attempt).rejects.toMatchObject({ name: 'UnavailableError' });
  }
  expect(await store.get('/a')).toBeUndefined();
});

test('pages at a revision that is gone are refused', async () => {
  const server = new MemoryStore();
  await using store = new MemoryDatastore(server);
  const operation = { type: 'put', key: '/a', value: '' } as const;
  const revision = await store.transact({ conditions: [], operations: [operation] });
  await store.transact({ conditions: [], operations: [operation] });
  server.compact();
  await expect(store.list('/', { revision })).rejects.toMatchObject({ name: 'CompactedError' });
});
