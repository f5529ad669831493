import { copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test, vi } from 'vitest';
import type { Datastore, Transaction } from '../datastore.ts';
import { UnavailableError } from '../errors.ts';
import { openDatastore } from '../open-datastore.ts';
import { describeDatastore } from '../testing/describe-datastore.ts';
import { describeResources } from '../testing/describe-resources.ts';
import type { Open } from '../testing/harness.ts';
import { SqliteDatastore } from './sqlite-datastore.ts';

/** A path for a database that is not there yet, gone when it leaves scope. */
async function freshPath(): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'overland-sqlite-'));
  return {
    path: join(directory, 'state', 'overland.db'),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

const open: Open = async () => {
  const fresh = await freshPath();
  return {
    connect: () => openDatastore({ type: 'sqlite', path: fresh.path }),
    [Symbol.asyncDispose]: () => fresh[Symbol.asyncDispose](),
  };
};

describeDatastore('SQLite', open);
describeResources('SQLite', open);

const PUT: Transaction = { conditions: [], operations: [{ type: 'put', key: '/a', value: '1' }] };

describe('the file', () => {
  test('can be read by its owner only', async () => {
    await using fresh = await freshPath();
    await using store = await openDatastore({ type: 'sqlite', path: fresh.path });
    await store.transact(PUT);
    for (const suffix of ['', '-wal', '-shm']) {
      expect(((await stat(fresh.path + suffix)).mode & 0o777).toString(8)).toBe('600');
    }
  });

  test('keeps what was written', async () => {
    await using fresh = await freshPath();
    const options = { type: 'sqlite', path: fresh.path } as const;
    {
      await using store = await openDatastore(options);
      await store.transact(PUT);
    }
    await using store = await openDatastore(options);
    expect((await store.get('/a'))?.value).toBe('1');
  });

  test('of a newer schema is refused and not touched', async () => {
    await using fresh = await freshPath();
    {
      await using store = await openDatastore({ type: 'sqlite', path: fresh.path });
      await store.transact(PUT);
    }
    using database = new DatabaseSync(fresh.path);
    database.exec('PRAGMA user_version = 2');
    const attempt = openDatastore({ type: 'sqlite', path: fresh.path });
    await expect(attempt).rejects.toMatchObject({ name: 'UnusableError' });
    await expect(attempt).rejects.toThrow('newer Overland: schema 2, of which this one knows 1');
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 });
  });

  test('of another program is refused and not touched', async () => {
    await using fresh = await freshPath();
    const path = join(fresh.path, '..', '..', 'other.db');
    using database = new DatabaseSync(path);
    database.exec('CREATE TABLE entry (a)');
    const attempt = openDatastore({ type: 'sqlite', path });
    await expect(attempt).rejects.toThrow('a database of another program');
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' });
  });

  test('that is no database is refused', async () => {
    await using fresh = await freshPath();
    const path = join(fresh.path, '..', '..', 'text.db');
    await writeFile(path, 'not a database, but longer than the header of one would be'.repeat(100));
    const attempt = openDatastore({ type: 'sqlite', path });
    await expect(attempt).rejects.toMatchObject({ name: 'UnusableError' });
  });

  test('that cannot be opened is unavailable, and used as soon as it can', async () => {
    await using fresh = await freshPath();
    const directory = join(fresh.path, '..');
    await writeFile(directory, 'a file where the directory should be');
    await using store = await SqliteDatastore.open({ path: fresh.path, deadlineMs: 100 });
    await expect(store.get('/a')).rejects.toMatchObject({ name: 'UnavailableError' });
    await rm(directory);
    await store.transact(PUT);
    expect((await store.get('/a'))?.value).toBe('1');
  });

  test('that was replaced is opened anew, and watches report the difference', async () => {
    await using fresh = await freshPath();
    await using store = await openDatastore({ type: 'sqlite', path: fresh.path });
    await store.transact(PUT);
    const stop = new AbortController();
    const changes = store.watch('/', stop.signal)[Symbol.asyncIterator]();
    expect((await changes.next()).value).toMatchObject({ entry: { key: '/a' } });
    expect((await changes.next()).value).toMatchObject({ type: 'synced' });
    await using other = await freshPath();
    await (await openDatastore({ type: 'sqlite', path: other.path }))[Symbol.asyncDispose]();
    for (const suffix of ['-wal', '-shm']) await rm(fresh.path + suffix);
    await rename(other.path, fresh.path);
    expect((await changes.next()).value).toMatchObject({ type: 'delete', key: '/a' });
    stop.abort();
  });

  test('that was replaced by an older copy of itself: equal revisions are not taken for equal values', async () => {
    await using fresh = await freshPath();
    await using backup = await freshPath();
    const write = (store: Datastore, value: string) =>
      store.transact({ conditions: [], operations: [{ type: 'put', key: '/a', value }] });
    {
      await using first = await openDatastore({ type: 'sqlite', path: fresh.path });
      await write(first, 'old');
    }
    await mkdir(dirname(backup.path));
    await copyFile(fresh.path, backup.path);
    await using store = await openDatastore({ type: 'sqlite', path: fresh.path });
    const revision = await write(store, 'lost');
    const stop = new AbortController();
    const changes = store.watch('/', stop.signal)[Symbol.asyncIterator]();
    expect((await changes.next()).value).toMatchObject({ entry: { value: 'lost', revision } });
    expect((await changes.next()).value).toMatchObject({ type: 'synced' });
    {
      await using restored = await openDatastore({ type: 'sqlite', path: backup.path });
      expect(await write(restored, 'new')).toBe(revision);
    }
    for (const suffix of ['-wal', '-shm']) await rm(fresh.path + suffix);
    await rename(backup.path, fresh.path);
    expect((await changes.next()).value).toMatchObject({ entry: { value: 'new', revision } });
    stop.abort();
  });

  test('that has gone is unavailable, not empty', async () => {
    await using fresh = await freshPath();
    await using store = await SqliteDatastore.open({ path: fresh.path, deadlineMs: 500 });
    await store.transact(PUT);
    const stop = new AbortController();
    const changes: string[] = [];
    const watching = (async () => {
      for await (const { type } of store.watch('/', stop.signal)) changes.push(type);
    })();
    await vi.waitFor(() => expect(changes).toEqual(['put', 'synced']), { timeout: 3000 });
    for (const suffix of ['', '-wal', '-shm'])
      await rename(fresh.path + suffix, `${fresh.path}${suffix}.away`);
    await vi.waitFor(
      () => expect(store.get('/a')).rejects.toMatchObject({ name: 'UnavailableError' }),
      { timeout: 3000 },
    );
    // The database last: whoever looks while it is without its log sees what was before.
    for (const suffix of ['-wal', '-shm', ''])
      await rename(`${fresh.path}${suffix}.away`, fresh.path + suffix);
    await vi.waitFor(async () => expect((await store.get('/a'))?.value).toBe('1'), {
      timeout: 3000,
    });
    expect(changes).toEqual(['put', 'synced']);
    stop.abort();
    await watching;
  });
});

describe('a lock held by somebody else', () => {
  test('fails writes at the deadline, not reads; then they pass', async () => {
    await using fresh = await freshPath();
    await using store = await SqliteDatastore.open({ path: fresh.path, deadlineMs: 200 });
    await store.transact(PUT);
    using other = new DatabaseSync(fresh.path);
    other.exec('BEGIN IMMEDIATE');
    const started = performance.now();
    const attempts = [store.transact(PUT), store.transact(PUT), store.lease(5)];
    for (const outcome of await Promise.allSettled(attempts)) {
      const { reason } = outcome as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(UnavailableError);
      expect(reason).toHaveProperty('message', expect.stringContaining('has the file locked'));
    }
    expect(performance.now() - started).toBeLessThan(1000);
    expect((await store.get('/a'))?.value).toBe('1');
    const waiting = store.transact(PUT);
    other.exec('ROLLBACK');
    await waiting;
  });

  test('a watch is silent meanwhile and then complete', async () => {
    await using fresh = await freshPath();
    await using store = await SqliteDatastore.open({ path: fresh.path, deadlineMs: 5000 });
    const stop = new AbortController();
    const changes = store.watch('/', stop.signal)[Symbol.asyncIterator]();
    expect((await changes.next()).value).toMatchObject({ type: 'synced' });
    using other = new DatabaseSync(fresh.path);
    other.exec('BEGIN EXCLUSIVE');
    const written = store.transact(PUT);
    other.exec('COMMIT');
    await written;
    expect((await changes.next()).value).toMatchObject({ entry: { key: '/a', value: '1' } });
    stop.abort();
  });
});

describe('a watch that was away for longer than changes are kept', () => {
  test('reports the difference', async () => {
    await using fresh = await freshPath();
    await using store = await openDatastore({ type: 'sqlite', path: fresh.path });
    await store.transact({
      conditions: [],
      operations: ['/gone', '/changed', '/same'].map((key) => ({ type: 'put', key, value: '1' })),
    });
    const stop = new AbortController();
    const changes = store.watch('/', stop.signal)[Symbol.asyncIterator]();
    for (let i = 0; i < 4; i++) await changes.next();
    // Behind the back of every process: one commit that no log has.
    using database = new DatabaseSync(fresh.path);
    database.exec(`BEGIN IMMEDIATE;
      DELETE FROM entry WHERE key = '/gone';
      UPDATE entry SET value = '2', revision = 9000 WHERE key = '/changed';
      UPDATE state SET value = 9000;
      COMMIT`);
    expect((await changes.next()).value).toMatchObject({ entry: { key: '/changed', value: '2' } });
    expect((await changes.next()).value).toMatchObject({ type: 'delete', key: '/gone' });
    await store.transact({ conditions: [], operations: [{ type: 'put', key: '/x', value: '' }] });
    expect((await changes.next()).value).toMatchObject({ entry: { key: '/x' } });
    stop.abort();
  });
});
