import { type Datastore, MemoryDatastore } from '@overland/datastore';
import { expect, test } from 'vitest';
import { WatchedEntries, type WatchedPrefix } from './watched-entries.ts';

const companionOf = (key: string): string => key.replace('/claim/', '/block/');

const halvesOf = (key: string) => [`/base${key.slice(5)}`, `/part${key.slice(5)}`] as const;

const CLAIMS: readonly WatchedPrefix[] = [{ prefix: '/claim/', companionOf }];
const HALVES: readonly WatchedPrefix[] = ['/base/', '/part/'].map((prefix) => ({
  prefix,
  halvesOf,
}));

/** Watches until disposed. `seen`: what there was after each change. */
function watching(store: Datastore, prefixes = CLAIMS) {
  const stop = new AbortController();
  const seen: string[] = [];
  const told: string[] = [];
  const watched = new WatchedEntries(prefixes, {
    onChange: () => seen.push([...watched.entries.values()].toSorted().join(' ')),
    onPolicy: (key, value) => told.push(`${key} ${value ?? 'gone'}`),
  });
  const running = watched.run(store, stop.signal);
  return {
    watched,
    running,
    seen,
    told,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running.catch(() => undefined);
    },
  };
}

async function put(store: Datastore, key: string, value: string): Promise<void> {
  await store.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
}

/** A datastore of which some calls are others. */
function replaced(store: Datastore, calls: Partial<Datastore>): Datastore {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(calls, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
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
  const broken = replaced(store, {
    watch: (prefix, signal) => {
      if (prefix === '/block/a') throw new Error('no');
      return store.watch(prefix, signal);
    },
  });
  await using under = watching(broken);
  await expect(under.running).rejects.toThrow('no');
});

test.each(['/base/', '/part/'])(
  'an object in two halves is seen as it was written, also if %s comes late',
  async (late) => {
    await using store = new MemoryDatastore();
    const released = Promise.withResolvers<void>();
    const slow = replaced(store, {
      async *watch(prefix, signal) {
        for await (const change of store.watch(prefix, signal)) {
          if (prefix === late && change.type !== 'synced') await released.promise;
          yield change;
        }
      },
    });
    await using under = watching(slow, HALVES);
    await expect.poll(() => under.watched.synced).toBe(true);
    const write = (value: string) =>
      store.transact({
        conditions: [],
        operations: [
          { type: 'put', key: '/base/a', value: `base ${value}` },
          { type: 'put', key: '/part/a', value: `part ${value}` },
        ],
      });
    await write('1');
    await write('2');
    await expect.poll(() => under.seen.at(-1)).toBe('base 2 part 2');
    released.resolve();
    await store.transact({
      conditions: [],
      operations: ['/base/a', '/part/a'].map((key) => ({ type: 'delete', key }) as const),
    });
    await expect.poll(() => under.seen.at(-1)).toBe('');
    const whole = ['', 'base 1 part 1', 'base 2 part 2'];
    expect(under.seen.filter((state) => !whole.includes(state))).toEqual([]);
  },
);

test('an object in two halves stays as it was until it can be read', async () => {
  await using store = new MemoryDatastore();
  let isAway = true;
  const unsteady = replaced(store, {
    get: (key) => (isAway ? Promise.reject(new Error('away')) : store.get(key)),
  });
  await using under = watching(unsteady, HALVES);
  await expect.poll(() => under.watched.synced).toBe(true);
  await put(store, '/base/a', 'base');
  await expect.poll(() => under.seen.every((state) => state === '')).toBe(true);
  isAway = false;
  await expect.poll(() => under.seen.at(-1), { timeout: 5000 }).toBe('base');
});

test('of a range of policy everything is told, from the first entry on, and only what is accepted is kept', async () => {
  await using store = new MemoryDatastore();
  await put(store, '/p/other', '1');
  await put(store, '/p/own', '1');
  const accept = (key: string): boolean => key === '/p/own';
  await using under = watching(store, [{ prefix: '/p/', isPolicy: true, accept }]);
  await expect.poll(() => under.watched.synced).toBe(true);
  expect(under.told).toEqual(['/p/other 1', '/p/own 1']);
  expect(keys(under.watched)).toEqual(['/p/own']);
  const before = under.seen.length;
  await store.transact({ conditions: [], operations: [{ type: 'delete', key: '/p/other' }] });
  await expect.poll(() => under.told.at(-1)).toBe('/p/other gone');
  expect(under.seen.length).toBe(before + 1);
});
