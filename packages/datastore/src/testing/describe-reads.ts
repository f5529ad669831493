import { expect, test } from 'vitest';
import type { Open } from './harness.ts';
import { put, shown, write } from './operations.ts';

export function describeReads(open: Open): void {
  test('what was put is got, with its revision', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    expect(await store.get('/a')).toBeUndefined();
    const revision = await store.transact(write(put('/a', '{"ü":1}')));
    expect(await store.get('/a')).toEqual({ key: '/a', value: '{"ü":1}', revision });
    await store.transact(write({ type: 'delete', key: '/a' }));
    expect(await store.get('/a')).toBeUndefined();
  });

  test('a list has the keys with the prefix, in order', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    await store.transact(write(put('/b/2'), put('/b/1', 'x'), put('/b'), put('/c'), put('/b/10')));
    expect(shown((await store.list('/b/')).entries)).toEqual(['/b/1=x', '/b/10=', '/b/2=']);
    expect(shown((await store.list('/b')).entries)).toHaveLength(4);
    expect(await store.list('/none/')).toMatchObject({ entries: [], next: undefined });
  });

  test('pages are read at the revision of the first', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    await store.transact(
      write(put('/p/1', 'a'), put('/p/2', 'a'), put('/p/3', 'a'), put('/p/5', 'a')),
    );
    const first = await store.list('/p/', { limit: 2 });
    expect(shown(first.entries)).toEqual(['/p/1=a', '/p/2=a']);
    await store.transact(
      write(put('/p/3', 'b'), put('/p/4', 'b'), { type: 'delete', key: '/p/5' }),
    );
    await store.transact(write(put('/p/3', 'c'), put('/q', 'c')));
    const after = first.next ?? 'no further page';
    const second = await store.list('/p/', { limit: 2, after, revision: first.revision });
    expect(shown(second.entries)).toEqual(['/p/3=a', '/p/5=a']);
    expect(second).toMatchObject({ next: undefined, revision: first.revision });
    expect(shown((await store.list('/p/', { after })).entries)).toEqual(['/p/3=c', '/p/4=b']);
  });

  test('a list longer than a page says so', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    for (let i = 0; i < 1100; i += 100) {
      await store.transact(write(...Array.from({ length: 100 }, (_, j) => put(`/n/${i + j}`))));
    }
    const first = await store.list('/n/');
    expect(first.entries).toHaveLength(1000);
    const { entries, next } = await store.list('/n/', { after: first.next ?? '' });
    expect(entries).toHaveLength(100);
    expect(next).toBeUndefined();
  });
}
