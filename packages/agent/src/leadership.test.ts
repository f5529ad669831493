import { MemoryDatastore, MemoryStore } from '@overland/datastore';
import { expect, test, vi } from 'vitest';
import { holdOffice } from './leadership.ts';

const OFFICE = { key: '/leader', ttlSeconds: 30 };

/** Candidates for one office, each a client of its own. */
function candidates(names: readonly string[]) {
  const store = new MemoryStore();
  const holders: string[] = [];
  const all = names.map((name) => {
    const datastore = new MemoryDatastore(store);
    const stop = new AbortController();
    const work = async (signal: AbortSignal): Promise<void> => {
      holders.push(name);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    };
    const office = { ...OFFICE, holder: name };
    return { name, datastore, stop, done: holdOffice(datastore, office, work, stop.signal) };
  });
  return { all, holders, store };
}

test('one holds the office; when it stops, the next does at once', async () => {
  const { all, holders, store } = candidates(['a', 'b', 'c']);
  for (let held = 1; held <= 3; held++) {
    await vi.waitFor(() => expect(holders).toHaveLength(held), 3000);
    const holder = all.find(({ name }) => name === holders.at(-1));
    expect(JSON.parse(store.get('/leader')?.value ?? '')).toEqual({ holder: holder?.name });
    holder?.stop.abort();
    await holder?.done;
  }
  expect(new Set(holders).size).toBe(3);
  expect(store.get('/leader')).toBeUndefined();
});

test('whoever loses its lease stops its work, and another takes over', async () => {
  const { all, holders, store } = candidates(['a', 'b']);
  await vi.waitFor(() => expect(holders).toHaveLength(1), 3000);
  const first = all.find(({ name }) => name === holders[0]);
  {
    // Its lease ends while it cannot know: as after a long pause of the process.
    using _outage = first?.datastore.outage();
    await first?.datastore[Symbol.asyncDispose]();
    store.endLease('1' as Parameters<typeof store.endLease>[0]);
    store.endLease('2' as Parameters<typeof store.endLease>[0]);
    await vi.waitFor(() => expect(holders).toHaveLength(2), 3000);
  }
  expect(holders[1]).not.toBe(holders[0]);
  for (const { stop, done } of all) {
    stop.abort();
    await done;
  }
});
