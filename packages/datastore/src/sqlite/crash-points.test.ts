import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LeaseId, Operation } from '../datastore.ts';
import { betweenStatements } from '../testing/between-statements.ts';
import { openConnection, prepareDatabase } from './connection.ts';
import { SqliteEngine } from './sqlite-engine.ts';

// A process that is killed leaves the files as they are at that moment. So the files are copied before each
// statement, and every copy is opened as the next process would open it: it must hold the state before the work, or
// the one after it. (tests/interop/sqlite-faults.test.ts kills real processes.)

const SUFFIXES = ['', '-wal', '-shm'];
const NOW = { milliseconds: 1000, boot: 'boot' };
const LATER = { milliseconds: 60_000, boot: 'boot' };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'overland-crash-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function put(key: string, value: string, lease?: number): Operation {
  return { type: 'put', key, value, ...(lease && { lease: String(lease) as LeaseId }) };
}

function write(...operations: Operation[]) {
  return { conditions: [], operations };
}

/** A few keys, two leases, some history. */
function fill(path: string): { readonly database: DatabaseSync; readonly engine: SqliteEngine } {
  const { database } = openConnection(path, true);
  const engine = new SqliteEngine(database);
  const [kept, expired] = [engine.grantLease(100_000, NOW), engine.grantLease(10, NOW)];
  engine.transact([
    write(put('/a', '1'), put('/b', '1'), put('/kept', '', kept)),
    write(put('/a', '2'), put('/x1', '', expired), put('/x2', '', expired)),
    write({ type: 'delete', key: '/b' }),
  ]);
  return { database, engine };
}

/** Everything that is stored, as text. */
function dump(database: DatabaseSync): string {
  const tables = ['state', 'entry', 'change', 'lease'];
  const exists = database
    .prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'state'")
    .get();
  if (exists?.n === 0) return 'empty';
  return JSON.stringify(tables.map((table) => database.prepare(`SELECT * FROM ${table}`).all()));
}

function dumpOf(path: string): string {
  using database = openConnection(path, true).database;
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  return dump(database);
}

/** Copies the files as they are now. */
function copyTo(path: string, name: string): string {
  const folder = join(directory, name);
  mkdirSync(folder);
  const copy = join(folder, 'copy.db');
  for (const suffix of SUFFIXES) {
    if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
  }
  return copy;
}

/** Each work is one call of the engine. */
const WORK: Readonly<Record<string, (engine: SqliteEngine) => unknown>> = {
  'a transaction': (engine) =>
    engine.transact([
      {
        conditions: [{ type: 'present', key: '/a' }],
        operations: [put('/a', '3'), put('/c', '1'), { type: 'delete', key: '/kept' }],
      },
    ]),
  'several transactions at once, one of them in vain': (engine) =>
    engine.transact([
      write(put('/a', '3')),
      { conditions: [{ type: 'absent', key: '/a' }], operations: [put('/never', '')] },
      write(put('/a', '4'), put('/c', '1', 1)),
    ]),
  'granting a lease': (engine) => engine.grantLease(5000, NOW),
  'keeping a lease': (engine) => engine.keepLease(1, LATER),
  'sweeping expired leases': (engine) =>
    engine.endLeases(engine.expiredLeases(LATER).concat(1), LATER),
  'revoking a lease': (engine) => engine.endLeases([1]),
  compaction: (engine) => engine.compact(3),
};

describe.each(['in the log', 'in the file itself'])(
  'killed between any two statements, the last state being %s,',
  (where) => {
    test.each(Object.entries(WORK))('%s is whole or has not happened', (_name, work) => {
      const path = join(directory, 'main.db');
      const { database } = fill(path);
      if (where === 'in the file itself') database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      const before = dump(database);
      const copies: string[] = [];
      const copy = () => copies.push(copyTo(path, String(copies.length)));
      work(new SqliteEngine(betweenStatements(database, copy)));
      copy();
      const after = dump(database);
      database.close();

      expect(after).not.toBe(before);
      expect(copies.length).toBeGreaterThanOrEqual(4);
      const states = copies.map(dumpOf);
      // Undone up to the commit; done when the call has returned.
      expect(states).toEqual([...copies.slice(1).map(() => before), after]);
    });
  },
);

test('killed between any two statements of its making, a file is made whole by the next process', () => {
  const path = join(directory, 'main.db');
  const copies: string[] = [];
  const database = new DatabaseSync(path);
  prepareDatabase(
    betweenStatements(database, () => copies.push(copyTo(path, String(copies.length)))),
    path,
  );
  const made = dump(database);
  database.close();
  expect(copies.length).toBeGreaterThan(8);
  for (const copy of copies) expect(dumpOf(copy)).toBe(made);
});

test('killed between any two statements of its opening, a file is as it was', () => {
  const path = join(directory, 'main.db');
  const filled = fill(path);
  const before = dump(filled.database);
  const killed = copyTo(path, 'killed');
  filled.database.close();
  const copies: string[] = [];
  using database = new DatabaseSync(killed);
  prepareDatabase(
    betweenStatements(database, () => copies.push(copyTo(killed, String(copies.length)))),
    killed,
  );
  expect(dump(database)).toBe(before);
  for (const copy of copies) expect(dumpOf(copy)).toBe(before);
});
