import { expect, test } from 'vitest';
import { DryRunDatastore } from './dry-run-datastore.ts';
import { MemoryDatastore } from './memory/memory-datastore.ts';

async function open() {
  const store = new MemoryDatastore();
  await store.transact({
    conditions: [],
    operations: ['a', 'b', 'c', 'd'].map((name) => ({
      type: 'put',
      key: `/x/${name}`,
      value: '0',
    })),
  });
  return { store, dry: new DryRunDatastore(store) };
}

test('what was written is seen by later reads, in its place, and not stored', async () => {
  const { store, dry } = await open();
  await dry.transact({
    conditions: [{ type: 'absent', key: '/x/bb' }],
    operations: [
      { type: 'put', key: '/x/bb', value: '1' },
      { type: 'put', key: '/x/z', value: '1' },
      { type: 'delete', key: '/x/c' },
    ],
  });
  const read = async (options: object) => {
    const { entries, next } = await dry.list('/x/', options);
    return `${entries.map(({ key }) => key.slice(3)).join(' ')} ${next ?? 'end'}`;
  };
  expect(await read({})).toBe('a b bb d z end');
  expect(await read({ limit: 2 })).toBe('a b /x/b');
  expect(await read({ limit: 2, after: '/x/b' })).toBe('bb d z end');
  expect((await dry.get('/x/bb'))?.value).toBe('1');
  expect(await dry.get('/x/c')).toBeUndefined();
  expect((await store.list('/x/')).entries.map(({ value }) => value)).toEqual(['0', '0', '0', '0']);
});

test('conditions are held against what is stored, and against what would be', async () => {
  const { store, dry } = await open();
  const entry = await store.get('/x/a');
  if (!entry) throw new Error('it was put');
  const { revision } = entry;
  const put = { type: 'put', key: '/x/a', value: '1' } as const;
  const conditions = [{ type: 'revision', key: '/x/a', revision }] as const;
  const absent = { conditions: [{ type: 'absent', key: '/x/a' }] as const, operations: [put] };
  await expect(dry.transact(absent)).rejects.toMatchObject({
    name: 'ConflictError',
    actual: entry,
  });
  const first = await dry.transact({ conditions, operations: [put] });
  await expect(dry.transact({ conditions, operations: [put] })).rejects.toMatchObject({
    name: 'ConflictError',
    actual: { value: '1', revision: first },
  });
});
