import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openDatastore, type Transaction } from '@overland/datastore';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const run = promisify(execFile);
const isSoak = process.env.OVERLAND_SOAK === '1';
const LONG = { timeout: isSoak ? 1_800_000 : 120_000 };
/** Processes that are killed. */
const CRASHES = isSoak ? 300 : 12;
/** Increments of each of four processes. */
const INCREMENTS = isSoak ? 2000 : 40;
const NODE = ['--conditions=@overland/source', '--disable-warning=ExperimentalWarning'];
const WRITER = fileURLToPath(new URL('./support/sqlite-writer.ts', import.meta.url));
const CRASHING_WRITER = fileURLToPath(
  new URL('../../packages/datastore/src/testing/crashing-writer.ts', import.meta.url),
);

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'overland-sqlite-'));
  path = join(directory, 'overland.db');
});
afterEach(() => rm(directory, { recursive: true }));

function put(key: string, value: string): Transaction {
  return { conditions: [], operations: [{ type: 'put', key, value }] };
}

test('writers in several processes lose nothing', LONG, async () => {
  const writers = [1, 2, 3, 4].map(() =>
    run(process.execPath, [...NODE, WRITER, 'increment', path, String(INCREMENTS)]),
  );
  const outputs = await Promise.all(writers);
  await using store = await openDatastore({ type: 'sqlite', path });
  expect((await store.get('/counter'))?.value).toBe(String(4 * INCREMENTS));
  // They really did get in each other's way.
  const conflicts = outputs.map(({ stdout }) => Number(stdout.replace('done ', '')));
  expect(Math.max(...conflicts)).toBeGreaterThan(0);
});

describe('a file locked by another process', () => {
  test('is unavailable by the deadline, and used again when that is gone', LONG, async () => {
    await using store = await openDatastore({ type: 'sqlite', path, deadlineMs: 500 });
    await store.transact(put('/a', '1'));
    const lines: string[] = [];
    const stop = new AbortController();
    const follow = async (): Promise<void> => {
      for await (const change of store.watch('/', stop.signal)) {
        lines.push(change.type === 'put' ? change.entry.value : change.type);
      }
    };
    const following = follow();
    const locker = spawn(process.execPath, [...NODE, WRITER, 'lock', path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(locker.stdout, 'data');
    const started = performance.now();
    const attempt = store.transact(put('/a', '2'));
    await expect(attempt).rejects.toMatchObject({
      name: 'UnavailableError',
      message: 'another process has the file locked',
    });
    expect(performance.now() - started).toBeLessThan(1500);
    expect((await store.get('/a'))?.value).toBe('1');
    await killed(locker);
    await store.transact(put('/a', '3'));
    await vi.waitFor(() => expect(lines).toEqual(['1', 'synced', '3']), { timeout: 5000 });
    stop.abort();
    await following;
  });
});

async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

test(
  'a full disk: nothing half-written, reads go on, writes pass when there is room',
  LONG,
  async () => {
    const disk = join(directory, 'disk');
    await run('mkdir', [disk]);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', disk]);
    try {
      const ballast = join(disk, 'ballast');
      await writeFile(ballast, Buffer.alloc(1_000_000));
      const full = join(disk, 'overland.db');
      await using store = await openDatastore({ type: 'sqlite', path: full, deadlineMs: 500 });
      let written = 0;
      const fill = async (): Promise<void> => {
        for (let n = 1; n < 1000; n++) {
          // Both keys or none.
          const value = `${n}:${'x'.repeat(10_000)}`;
          await store.transact({
            conditions: [],
            operations: [
              { type: 'put', key: '/a', value },
              { type: 'put', key: '/b', value },
            ],
          });
          written = n;
        }
      };
      await expect(fill()).rejects.toMatchObject({
        name: 'UnavailableError',
        message: expect.stringMatching(/disk/),
      });
      expect(written).toBeGreaterThan(0);
      for (const key of ['/a', '/b']) {
        expect((await store.get(key))?.value.split(':')[0]).toBe(String(written));
      }
      await rm(ballast);
      await store.transact(put('/a', 'after'));
      expect((await store.get('/a'))?.value).toBe('after');
      expect((await store.get('/b'))?.value.split(':')[0]).toBe(String(written));
    } finally {
      await run('umount', ['--lazy', disk]);
    }
  },
);

describe('kill -9 of a writer, before any statement', () => {
  /** Runs the writer until it dies. @returns The numbers that it tried and that it wrote last. */
  function crash(
    first: number,
    statement: number,
    work: 'transactions' | 'leases' = 'transactions',
  ): { tried: number; wrote: number } {
    const argv = [...NODE, CRASHING_WRITER, path, String(first), String(statement), work];
    const { signal, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
    expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
    const last = (word: string, otherwise: number) =>
      Number(
        stdout
          .match(new RegExp(`${word} (\\d+)`, 'g'))
          ?.at(-1)
          ?.split(' ')[1] ?? otherwise,
      );
    return { tried: last('trying', first - 1), wrote: last('wrote', first - 1) };
  }

  test('leaves a transaction that is whole, and the one that was confirmed', LONG, async () => {
    let first = 1;
    // A fixed seed: the statement before which each run dies.
    let seed = 20_261_124;
    const outcomes = new Set<string>();
    for (let round = 0; round < CRASHES; round++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      const { tried, wrote } = crash(first, 1 + (seed % 60));
      await using store = await openDatastore({ type: 'sqlite', path });
      const { entries } = await store.list('/k/');
      const values = new Set(entries.map(({ value }) => Number(value)));
      expect(values.size).toBeLessThanOrEqual(1);
      const [stored = 0] = values;
      expect([wrote, tried]).toContain(stored);
      expect(entries).toHaveLength(stored === 0 ? 0 : 4 + (stored % 2 === 0 ? 1 : 0));
      expectLogToMatch(stored);
      outcomes.add(stored === wrote ? 'undone' : 'done');
      first = stored + 1;
    }
    expect(first).toBeGreaterThan(CRASHES / 2);
    expect(outcomes).toContain('undone');
  });

  test('leaves no key under a lease that has ended, and no half of its keys', LONG, () => {
    const seen = new Set<string>();
    // Each round of a lease is 30 statements; every second one is tried.
    for (let statement = 2; statement <= 32; statement += isSoak ? 1 : 2) {
      crash(statement, statement, 'leases');
      using database = new DatabaseSync(path);
      const keys = database.prepare("SELECT key, value FROM entry WHERE key LIKE '/l/%'").all();
      expect([0, 2]).toContain(keys.length);
      expect(new Set(keys.map(({ value }) => value)).size).toBeLessThanOrEqual(1);
      const orphans = 'SELECT key FROM entry WHERE lease NOT IN (SELECT id FROM lease)';
      expect(database.prepare(orphans).all()).toEqual([]);
      expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      const leases = database.prepare('SELECT count(*) AS n FROM lease').get();
      seen.add(`${keys.length} keys, ${leases?.n} leases`);
      // The next round begins with none.
      database.exec('DELETE FROM entry; DELETE FROM lease');
    }
    expect([...seen].toSorted()).toEqual([
      '0 keys, 0 leases',
      '0 keys, 1 leases',
      '2 keys, 1 leases',
    ]);
  });

  /** The undo log and the revision are of the same transaction as the entries. */
  function expectLogToMatch(stored: number): void {
    using database = new DatabaseSync(path, { readOnly: true });
    const one = (sql: string) => Object.values(database.prepare(sql).get() ?? {})[0];
    const revision = one("SELECT value FROM state WHERE name = 'revision'");
    expect(one('SELECT coalesce(max(revision), 1) FROM change')).toBe(revision);
    expect(revision).toBe(stored + 1);
    expect(one('PRAGMA integrity_check')).toBe('ok');
  }
});
