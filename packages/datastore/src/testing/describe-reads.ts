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

  test('every page of an old revision is as it was, whatever has happened since', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const keys = Array.from({ length: 8 }, (_, i) => `/p/${i}`);
    await store.transact(write(...keys.map((key) => put(key, 'old'))));
    const { revision } = await store.list('/p/', { limit: 1 });
    await store.transact(write(...keys.slice(2, 5).map((key) => put(key, 'new'))));
    await store.transact(
      write({ type: 'delete', key: '/p/3' }, { type: 'delete', key: '/p/7' }, put('/p/35')),
    );
    await store.transact(write(put('/p/3', 'again'), put('/o'), put('/q')));
    const pages: string[][] = [];
    let after: string | undefined;
    do {
      const page = await store.list('/p/', { limit: 2, revision, ...(after && { after }) });
      expect(page.revision).toBe(revision);
      expect(page.entries.every((entry) => entry.revision === revision)).toBe(true);
      pages.push(shown(page.entries));
      after = page.next;
    } while (after !== undefined);
    // The last page is full, and says that it is the last.
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 2, 2]);
    expect(pages.flat()).toEqual(keys.map((key) => `${key}=old`));
  });

  test('keys are ordered by octets, and a prefix is text, not a path', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const names = ['A', 'a', 'a%b', 'a-b', 'a.b', 'a/b', 'a0', 'aB', 'a_b', 'ab', 'a~', 'b'];
    await store.transact(write(...names.toReversed().map((name) => put(`/o/${name}`))));
    const listed = async (prefix: string) =>
      (await store.list(prefix)).entries.map(({ key }) => key.slice('/o/'.length));
    expect(await listed('/o/')).toEqual(names);
    expect(await listed('/o/a')).toEqual(names.slice(1, -1));
    expect(await listed('/o/a%')).toEqual(['a%b']);
    expect(await listed('/o/a~')).toEqual(['a~']);
    const { entries } = await store.list('/o/', { after: '/o/a.b', limit: 2 });
    expect(entries.map(({ key }) => key)).toEqual(['/o/a/b', '/o/a0']);
    // Behind a key that is not there, too.
    expect((await store.list('/o/', { after: '/o/aA', limit: 1 })).entries[0]?.key).toBe('/o/aB');
  });

  test('an empty prefix is everything', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    await store.transact(write(put('/!'), put('/a'), put('/~')));
    expect(shown((await store.list('')).entries)).toEqual(['/!=', '/a=', '/~=']);
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const change of store.watch('', stop.signal)) {
      if (change.type === 'put') seen.push(change.entry.key);
      else stop.abort();
    }
    expect(seen).toEqual(['/!', '/a', '/~']);
  });

  test.each([
    ['empty', ''],
    ['not ASCII', 'äöü ☃ 😀 \u2028 \ufeff'],
    ['with quotes and control characters', '\'"`\\ \n\r\t\u0001\u007f'],
    ['with a zero in it', 'a\0b'],
    ['a large integer', '{"sequenceNumber":1789012345678901235}'],
  ])('a value that is %s is kept to the letter', async (_what, value) => {
    await using harness = await open();
    await using store = await harness.connect();
    const stop = new AbortController();
    await store.transact(write(put('/v', value)));
    await store.transact(write(put('/w')));
    expect((await store.get('/v'))?.value).toBe(value);
    const { entries, revision } = await store.list('/v');
    expect(entries[0]?.value).toBe(value);
    await store.transact(write(put('/v', 'x')));
    expect((await store.list('/v', { revision })).entries[0]?.value).toBe(value);
    await store.transact(write(put('/v', value)));
    for await (const change of store.watch('/v', stop.signal)) {
      if (change.type === 'put') expect(change.entry.value).toBe(value);
      stop.abort();
    }
  });
}
