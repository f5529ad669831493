import { expect, test } from 'vitest';
import type { Change, Revision } from '../datastore.ts';
import { CompactedError } from '../errors.ts';
import type { Open } from './harness.ts';
import { put, shown, write } from './operations.ts';

/** One line for a change: `+/a=1`, `-/a`, `synced`. */
function line(change: Change): string {
  if (change.type === 'put') return `+${change.entry.key}=${change.entry.value}`;
  return change.type === 'delete' ? `-${change.key}` : 'synced';
}

/** Lines of the changes up to the one that reads `last`. */
async function linesUntil(changes: AsyncIterator<Change>, last: string): Promise<string[]> {
  const lines: string[] = [];
  while (lines.at(-1) !== last) {
    const next = await changes.next();
    if (next.done) throw new Error(`the watch ended after ${JSON.stringify(lines)}`);
    lines.push(line(next.value));
  }
  return lines;
}

export function describeWatches(open: Open): void {
  test('what is there, synced, then every change in order', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const stop = new AbortController();
    await store.transact(write(put('/w/1', 'a'), put('/w/2', 'a'), put('/x', 'a')));
    const changes = store.watch('/w/', stop.signal)[Symbol.asyncIterator]();
    expect(await linesUntil(changes, 'synced')).toEqual(['+/w/1=a', '+/w/2=a', 'synced']);
    await store.transact(write(put('/w/2', 'b'), put('/y', 'b')));
    await store.transact(write({ type: 'delete', key: '/w/1' }));
    await store.transact(write(put('/w/3', 'c')));
    expect(await linesUntil(changes, '+/w/3=c')).toEqual(['+/w/2=b', '-/w/1', '+/w/3=c']);
    const last = changes.next();
    stop.abort();
    expect(await last).toEqual({ done: true, value: undefined });
  });

  test('every client sees the changes of every other', async () => {
    await using harness = await open();
    await using one = await harness.connect();
    await using two = await harness.connect();
    const stop = new AbortController();
    const seenByOne = one.watch('/', stop.signal)[Symbol.asyncIterator]();
    const seenByTwo = two.watch('/', stop.signal)[Symbol.asyncIterator]();
    await linesUntil(seenByOne, 'synced');
    await linesUntil(seenByTwo, 'synced');
    await one.transact(write(put('/a', '1')));
    await two.transact(write(put('/a', '2')));
    await one.transact(write(put('/end')));
    for (const changes of [seenByOne, seenByTwo]) {
      const lines = await linesUntil(changes, '+/end=');
      expect(lines.filter((text) => text.startsWith('+/a')).at(-1)).toBe('+/a=2');
    }
    stop.abort();
  });

  test('a change carries the revision that a get has', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const stop = new AbortController();
    const changes = store.watch('/', stop.signal)[Symbol.asyncIterator]();
    await linesUntil(changes, 'synced');
    const revision = await store.transact(write(put('/a', '1')));
    expect(await changes.next()).toMatchObject({
      value: { type: 'put', entry: { key: '/a', revision } },
    });
    stop.abort();
  });

  test('a watch that is not read for long ends at the same state', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const stop = new AbortController();
    const changes = store.watch('/', stop.signal)[Symbol.asyncIterator]();
    await linesUntil(changes, 'synced');
    for (let i = 0; i < 300; i++) {
      await store.transact(
        write(i % 7 === 3 ? { type: 'delete', key: '/k0' } : put(`/k${i % 3}`, `${i}`)),
      );
    }
    await store.transact(write(put('/end')));
    const state = new Map<string, string>();
    for (;;) {
      const { value: change } = await changes.next();
      if (change?.type === 'put') state.set(change.entry.key, change.entry.value);
      if (change?.type === 'delete') state.delete(change.key);
      if (state.has('/end')) break;
    }
    expect([...state].map(([key, value]) => `${key}=${value}`).toSorted()).toEqual(
      shown((await store.list('/')).entries),
    );
    stop.abort();
  });

  test('from a revision: synced at once, then what has changed since, deletions among it', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const stop = new AbortController();
    await store.transact(write(put('/w/1', 'a'), put('/w/2', 'a'), put('/x', 'a')));
    const { revision } = await store.list('/w/');
    await store.transact(write(put('/w/3', 'b'), put('/x', 'b')));
    await store.transact(write({ type: 'delete', key: '/w/1' }));
    const changes = store.watch('/w/', stop.signal, revision)[Symbol.asyncIterator]();
    const first = await changes.next();
    expect(first.value).toEqual({ type: 'synced', revision });
    expect(await linesUntil(changes, '-/w/1')).toEqual(['+/w/3=b', '-/w/1']);
    await store.transact(write({ type: 'delete', key: '/w/2' }));
    await store.transact(write(put('/w/4', 'c')));
    expect(await linesUntil(changes, '+/w/4=c')).toEqual(['-/w/2', '+/w/4=c']);
    stop.abort();
  });

  test('from the current revision: nothing but what comes', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const stop = new AbortController();
    const revision = await store.transact(write(put('/a', '1')));
    const changes = store.watch('/', stop.signal, revision)[Symbol.asyncIterator]();
    expect(await linesUntil(changes, 'synced')).toEqual(['synced']);
    await store.transact(write(put('/b', '2')));
    expect(await linesUntil(changes, '+/b=2')).toEqual(['+/b=2']);
    stop.abort();
  });

  test('from a revision that is compacted, or was never reached: refused, not silent', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const { signal } = new AbortController();
    const old = await store.transact(write(put('/a', '1')));
    const current = await store.transact(write(put('/a', '2')));
    await store.compact(current);
    await store.compact(old);
    const future = String(BigInt(current) + 1000n) as Revision;
    for (const from of [old, future]) {
      const changes = store.watch('/', signal, from)[Symbol.asyncIterator]();
      await expect(changes.next()).rejects.toMatchObject({ name: 'CompactedError' });
      await expect(store.list('/', { revision: from })).rejects.toBeInstanceOf(CompactedError);
    }
    await expect(store.compact(future)).rejects.toBeInstanceOf(CompactedError);
    expect(shown((await store.list('/', { revision: current })).entries)).toEqual(['/a=2']);
  });

  test('keys that come and go unread leave nothing behind', async () => {
    await using harness = await open();
    await using store = await harness.connect();
    const stop = new AbortController();
    await store.transact(write(put('/known')));
    const changes = store.watch('/', stop.signal)[Symbol.asyncIterator]();
    await linesUntil(changes, 'synced');
    await store.transact(write(put('/passing'), { type: 'delete', key: '/known' }));
    await store.transact(write({ type: 'delete', key: '/passing' }));
    await store.transact(write(put('/known', 'again')));
    await store.transact(write({ type: 'delete', key: '/known' }));
    await store.transact(write(put('/end')));
    const lines = await linesUntil(changes, '+/end=');
    // How much of it arrives before it is taken is left to chance; what the reader ends up with is not.
    expect(lines.filter((text) => text.includes('/known')).at(-1)).toBe('-/known');
    expect(['-/passing', undefined]).toContain(
      lines.filter((text) => text.includes('/passing')).at(-1),
    );
    stop.abort();
  });

  test('disposing the client ends its watches', async () => {
    await using harness = await open();
    const store = await harness.connect();
    const changes = store.watch('/', new AbortController().signal)[Symbol.asyncIterator]();
    await linesUntil(changes, 'synced');
    const last = changes.next();
    await store[Symbol.asyncDispose]();
    expect((await last).done).toBe(true);
  });
}
