import { expect, test } from 'vitest';
import {
  type Datastore,
  MAX_TRANSACTION_OCTETS,
  MAX_TRANSACTION_OPERATIONS,
  type Transaction,
} from '../datastore.ts';
import { ConflictError, LimitError } from '../errors.ts';
import type { Open } from './harness.ts';
import { put, shown, write } from './operations.ts';

export function describeTransactions(open: Open): void {
  test('conditions that hold let it pass', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const revision = await store.transact({
      conditions: [{ type: 'absent', key: '/a' }],
      operations: [put('/a', '1')],
    });
    await store.transact({
      conditions: [
        { type: 'revision', key: '/a', revision },
        { type: 'present', key: '/a' },
        { type: 'absent', key: '/b' },
      ],
      operations: [put('/b', '2'), { type: 'delete', key: '/a' }],
    });
    expect(shown((await store.list('/')).entries)).toEqual(['/b=2']);
  });

  test('a condition that does not hold stops everything and is named', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const old = await store.transact(write(put('/a', '1')));
    const revision = await store.transact(write(put('/a', '2')));
    const attempts: Transaction['conditions'][number][] = [
      { type: 'revision', key: '/a', revision: old },
      { type: 'absent', key: '/a' },
    ];
    for (const condition of attempts) {
      const attempt = store.transact({
        conditions: [{ type: 'absent', key: '/z' }, condition],
        operations: [put('/b'), put('/a', '3')],
      });
      await expect(attempt).rejects.toMatchObject({
        name: 'ConflictError',
        key: '/a',
        actual: { key: '/a', value: '2', revision },
      });
    }
    const gone = store.transact({
      conditions: [{ type: 'present', key: '/gone' }],
      operations: [put('/b')],
    });
    await expect(gone).rejects.toMatchObject({ key: '/gone', actual: undefined });
    await expect(gone).rejects.toBeInstanceOf(ConflictError);
    expect(shown((await store.list('/')).entries)).toEqual(['/a=2']);
  });

  test('several conditions on one key must all hold', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const revision = await store.transact(write(put('/a', '1')));
    const present = { type: 'present', key: '/a' } as const;
    const unchanged = { type: 'revision', key: '/a', revision } as const;
    const absent = { type: 'absent', key: '/a' } as const;
    await store.transact({ conditions: [present, unchanged, present], operations: [put('/b')] });
    for (const conditions of [
      [present, absent],
      [absent, present],
      [unchanged, absent],
    ]) {
      const attempt = store.transact({ conditions, operations: [put('/c')] });
      await expect(attempt).rejects.toMatchObject({ key: '/a', actual: { revision } });
    }
    expect(shown((await store.list('/')).entries)).toEqual(['/a=1', '/b=']);
  });

  test('a condition is on what was there before, also of a key that is written', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const first = await store.transact({
      conditions: [{ type: 'absent', key: '/a' }],
      operations: [put('/a', '1'), put('/b', '1')],
    });
    const second = await store.transact({
      conditions: [
        { type: 'revision', key: '/a', revision: first },
        { type: 'revision', key: '/b', revision: first },
      ],
      operations: [put('/a', '2'), { type: 'delete', key: '/b' }],
    });
    // The revision of a key that came again is not that of the one that went.
    await store.transact(write(put('/b', '2')));
    const stale = store.transact({
      conditions: [{ type: 'revision', key: '/b', revision: first }],
      operations: [put('/a', '3')],
    });
    await expect(stale).rejects.toMatchObject({ key: '/b', actual: { value: '2' } });
    expect(await store.get('/a')).toMatchObject({ value: '2', revision: second });
  });

  test('without operations it tests its conditions, and changes nothing', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const revision = await store.transact(write(put('/a')));
    const tested = store.transact({ conditions: [{ type: 'present', key: '/a' }], operations: [] });
    expect(await tested).toBe(revision);
    const attempt = store.transact({ conditions: [{ type: 'absent', key: '/a' }], operations: [] });
    await expect(attempt).rejects.toBeInstanceOf(ConflictError);
    expect((await store.list('/')).revision).toBe(revision);
  });

  test('all keys of a transaction have one revision; an unrelated write leaves it', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const revision = await store.transact(write(put('/a'), put('/b')));
    await store.transact(write(put('/c')));
    const { entries } = await store.list('/');
    expect(entries.slice(0, 2).map((entry) => entry.revision)).toEqual([revision, revision]);
    expect(entries[2]?.revision).not.toBe(revision);
  });

  test('deleting what is absent is no mistake', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    await store.transact(write({ type: 'delete', key: '/none' }));
    expect((await store.list('/')).entries).toEqual([]);
  });

  test('of writers that compare, each wins once', async () => {
    await using harness = await open();
    await using stores = new AsyncDisposableStack();
    const clients = await Promise.all([1, 2, 3].map(() => harness.connect()));
    for (const client of clients) stores.use(client);
    await Promise.all(clients.map((client) => increment(client, '/n', 20)));
    const [first] = clients;
    expect((await first?.get('/n'))?.value).toBe('60');
  });

  test('too many operations, and values too big, are refused before they are sent', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const many = Array.from({ length: MAX_TRANSACTION_OPERATIONS }, (_, i) => put(`/m/${i}`));
    await store.transact(write(...many));
    await expect(store.transact(write(...many, put('/m/x')))).rejects.toBeInstanceOf(LimitError);
    const big = 'x'.repeat(MAX_TRANSACTION_OCTETS - 4);
    // A key prefix takes its part of the room.
    const fits = big.slice(256);
    await store.transact(write(put('/big', fits)));
    expect((await store.get('/big'))?.value).toHaveLength(fits.length);
    const refused = store.transact(write(put('/a'), put('/big', `${big}x`)));
    await expect(refused).rejects.toBeInstanceOf(LimitError);
    await expect(refused).rejects.toThrow(/octets.*\/big has/);
    await expect(store.transact(write(put('/a'), put('/a')))).rejects.toThrow('twice');
    expect(await store.get('/a')).toBeUndefined();
  });
}

/** Adds 1 to a counter, `times` times, comparing and retrying. */
async function increment(store: Datastore, key: string, times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const entry = await store.get(key);
    const value = String(Number(entry?.value ?? 0) + 1);
    const condition = entry
      ? ({ type: 'revision', key, revision: entry.revision } as const)
      : ({ type: 'absent', key } as const);
    try {
      await store.transact({ conditions: [condition], operations: [put(key, value)] });
      done++;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
}
