import { expect, test } from 'vitest';
import { MemoryDatastore } from './memory/memory-datastore.ts';
import { MemoryStore } from './memory/memory-store.ts';
import { prefixedDatastore } from './prefixed-datastore.ts';
import { describeDatastore } from './testing/describe-datastore.ts';
import { put, shown, write } from './testing/operations.ts';

describeDatastore('memory under a key prefix', async () => {
  const store = new MemoryStore();
  await using neighbour = new MemoryDatastore(store);
  await neighbour.transact(write(put('/a', 'outside'), put('/site/10/a', 'outside')));
  return {
    connect: async () => prefixedDatastore(new MemoryDatastore(store), '/site/1'),
    async [Symbol.asyncDispose]() {},
  };
});

test('keys are stored under the prefix', async () => {
  await using plain = new MemoryDatastore();
  const store = prefixedDatastore(plain, '/site-1');
  await store.transact(write(put('/calico/a', '1')));
  expect(shown((await plain.list('')).entries)).toEqual(['/site-1/calico/a=1']);
  expect(shown((await store.list('')).entries)).toEqual(['/calico/a=1']);
  await expect(store.get('calico')).rejects.toThrow('key calico does not start with /');
});

test.each(['', '/', 'site', '/site/', '/a//b', '/ä', '/a b', `/${'x'.repeat(256)}`])(
  '%j is no prefix',
  (prefix) => {
    expect(() => prefixedDatastore(new MemoryDatastore(), prefix)).toThrow(RangeError);
  },
);
