import { expect, test } from 'vitest';
import type { Change } from '../datastore.ts';
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
