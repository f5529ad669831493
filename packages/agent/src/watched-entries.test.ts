import { type Datastore, MemoryDatastore } from '@overland/datastore';
import { expect, test } from 'vitest';
import { WatchedEntries } from './watched-entries.ts';

const companionOf = (key: string): string => key.replace('/claim/', '/block/');

/** Watches claims with their blocks, until disposed. */
function watching(store: Datastore) {
  const stop = new AbortController();
  const watched = new WatchedEntries([{ prefix: '/claim/', companionOf }], () => {});
  const running = watched.run(store, stop.signal);
  return {
    watched,
    running,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running.catch(() => undefined);
    },
  };
}

async function put(store: Datastore, key: string, value: string): Promise<void> {
  await store.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
}

const keys = (watched: WatchedEntries): string[] => [...watched.entries.keys()].toSorted();

test('a companion is watched for as long as its key is there, and is part of the first sync', async () => {
  await using store = new MemoryDatastore();
  for (const key of ['/claim/a', '/block/a', '/block/ab', '/block/b']) {
    await put(store, key, '1');
  }
  await using under = watching(store);
  const { watched } = under;
  await expect.poll(() => watched.synced).toBe(true);
  expect(keys(watched)).toEqual(['/block/a', '/claim/a']);

  await put(store, '/block/a', '2');
  await expect.poll(() => watched.entries.get('/block/a')).toBe('2');
  await put(store, '/claim/b', '1');
  expect(watched.synced).toBe(true);
  await expect.poll(() => keys(watched)).toContain('/block/b');

  await store.transact({ conditions: [], operations: [{ type: 'delete', key: '/claim/a' }] });
  await expect.poll(() => keys(watched)).toEqual(['/block/b', '/claim/b']);
  await put(store, '/block/a', '3');
  await put(store, '/block/b', '3');
  await expect.poll(() => watched.entries.get('/block/b')).toBe('3');
  expect(watched.entries.has('/block/a')).toBe(false);
});

test('a companion that cannot be watched ends the watches, as any other would', async () => {
  await using store = new MemoryDatastore();
  await put(store, '/claim/a', '1');
  const broken = new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'watch') return typeof value === 'function' ? value.bind(target) : value;
      return (prefix: string, signal: AbortSignal) => {
        if (prefix === '/block/a') throw new Error('no');
        return target.watch(prefix, signal);
      };
    },
  });
  await using under = watching(broken);
  await expect(under.running).rejects.toThrow('no');
});
