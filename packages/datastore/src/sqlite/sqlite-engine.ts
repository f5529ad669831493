import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type {
  Change,
  Condition,
  Entry,
  Operation,
  Page,
  Revision,
  Transaction,
} from '../datastore.ts';
import { CompactedError, ConflictError, LeaseError } from '../errors.ts';
import {
  CHANGES,
  CHANGES_OF,
  changeOf,
  entryOf,
  LIST,
  LIST_AT,
  PUT,
  type Row,
  range,
} from './statements.ts';

/** Changes kept for watches that are behind and for lists at an older revision, in revisions. */
const KEPT_REVISIONS = 4096;
/** How often older ones are removed, in revisions. */
const COMPACTION_INTERVAL = 256;

/** Time as leases count it: unaffected by the wall clock, but starting anew with each boot. */
export interface LeaseTime {
  readonly milliseconds: number;
  readonly boot: string;
}

/** What became of one of several transactions that were committed together. */
export type Outcome =
  | { readonly revision: Revision }
  | { readonly error: ConflictError | LeaseError };

/** Changes since a revision, or word that the log does not reach back that far, or is another one. */
export type ChangesSince =
  | { readonly changes: readonly Change[]; readonly revision: number }
  | 'compacted'
  | 'replaced';

/**
 * Statements on one open database, without waiting, retrying or threads. Every call is one SQLite
 * transaction; an error of SQLite leaves nothing half-written.
 */
export class SqliteEngine {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get(key: string): Entry | undefined {
    const row = this.#one('SELECT key, value, revision FROM entry WHERE key = ?', key);
    return row && entryOf(row);
  }

  /** @param at As of this revision; by default the current one. */
  list(prefix: string, limit: number, after: string, at?: number): Page {
    return this.#reading(() => {
      const { revision, compacted } = this.#state();
      const as = at ?? revision;
      if (as < compacted) throw new CompactedError(`revision ${as} is no longer kept`);
      if (!(as <= revision)) throw new CompactedError(`revision ${as} was never reached`);
      const [from, to] = range(prefix);
      const rows =
        as >= revision
          ? this.#all(LIST, from, to, after, limit + 1)
          : this.#all(LIST_AT, as, from, to, from, to, after, after, limit + 1);
      const entries = rows.slice(0, limit).map(entryOf);
      const next = rows.length > limit ? entries.at(-1)?.key : undefined;
      return { entries, revision: String(as) as Revision, next };
    });
  }

  /** Commits several transactions with one fsync, in order, each with a revision of its own. */
  transact(transactions: readonly Transaction[]): Outcome[] {
    return this.#writing(() => {
      const { revision: first, compacted } = this.#state();
      let revision = first;
      const outcomes = transactions.map(({ conditions, operations }): Outcome => {
        const error = this.#conflict(conditions) ?? this.#missingLease(operations);
        if (error) return { error };
        if (this.#apply(operations, revision + 1)) revision++;
        return { revision: String(revision) as Revision };
      });
      if (revision !== first)
        this.#run("UPDATE state SET value = ? WHERE name = 'revision'", revision);
      if (revision - compacted > KEPT_REVISIONS + COMPACTION_INTERVAL) {
        this.#compact(revision - KEPT_REVISIONS);
      }
      return outcomes;
    });
  }

  /** Forgets changes up to a revision. @throws {CompactedError} If it was never reached. */
  compact(revision: number): void {
    this.#writing(() => {
      const { revision: current, compacted } = this.#state();
      if (!(revision <= current))
        throw new CompactedError(`revision ${revision} was never reached`);
      if (revision > compacted) this.#compact(revision);
    });
  }

  /** Changes after `since`, in commit order; at most about `limit`, but whole revisions. */
  changesSince(since: number, limit: number): ChangesSince {
    return this.#reading(() => {
      const { revision, compacted } = this.#state();
      if (since < compacted) return 'compacted';
      if (since > revision) return 'replaced';
      const rows = this.#all(CHANGES, since, limit);
      const last = Number(rows.at(-1)?.revision ?? revision);
      const rest = rows.length < limit ? [] : this.#all(CHANGES_OF, last, String(rows.at(-1)?.key));
      const changes = [...rows, ...rest].map(changeOf);
      return { changes, revision: rows.length < limit ? revision : last };
    });
  }

  /** Changes with every commit of another connection. */
  dataVersion(): number {
    return Number(this.#one('PRAGMA data_version')?.data_version);
  }

  grantLease(ttlMs: number, now: LeaseTime): number {
    return this.#writing(() => {
      const sql = 'INSERT INTO lease (ttl_ms, expires_ms, boot) VALUES (?, ?, ?) RETURNING id';
      const row = this.#one(sql, ttlMs, now.milliseconds + ttlMs, now.boot);
      return Number(row?.id);
    });
  }

  /** @returns Whether the lease is still there. */
  keepLease(id: number, now: LeaseTime): boolean {
    return this.#writing(() => {
      const sql = 'UPDATE lease SET expires_ms = ttl_ms + ?, boot = ? WHERE id = ?';
      return this.#run(sql, now.milliseconds, now.boot, id) > 0;
    });
  }

  expiredLeases(now: LeaseTime): number[] {
    const sql = 'SELECT id FROM lease WHERE boot <> ? OR expires_ms < ?';
    return this.#all(sql, now.boot, now.milliseconds).map((row) => Number(row.id));
  }

  /**
   * Ends leases and deletes their keys.
   *
   * @param now If given, only those that have expired by then.
   */
  endLeases(ids: readonly number[], now?: LeaseTime): void {
    this.#writing(() => {
      const expired = now && new Set(this.expiredLeases(now));
      let { revision } = this.#state();
      for (const id of ids) {
        if (expired && !expired.has(id)) continue;
        this.#run('DELETE FROM lease WHERE id = ?', id);
        const keys = this.#all('SELECT key FROM entry WHERE lease = ?', id);
        const operations = keys.map((row) => ({ type: 'delete', key: String(row.key) }) as const);
        if (this.#apply(operations, revision + 1)) revision++;
      }
      this.#run("UPDATE state SET value = ? WHERE name = 'revision'", revision);
    });
  }

  #conflict(conditions: readonly Condition[]): ConflictError | undefined {
    for (const condition of conditions) {
      const entry = this.get(condition.key);
      const holds =
        condition.type === 'revision'
          ? entry?.revision === condition.revision
          : (condition.type === 'present') === (entry !== undefined);
      if (!holds) return new ConflictError(condition.key, entry);
    }
    return undefined;
  }

  #missingLease(operations: readonly Operation[]): LeaseError | undefined {
    for (const operation of operations) {
      if (operation.type !== 'put' || !operation.lease) continue;
      const row = this.#one('SELECT id FROM lease WHERE id = ?', Number(operation.lease));
      if (!row) return new LeaseError(`lease ${operation.lease} has ended`);
    }
    return undefined;
  }

  /** @returns Whether anything changed. */
  #apply(operations: readonly Operation[], revision: number): boolean {
    let isChanged = false;
    for (const operation of operations) {
      const before = this.get(operation.key);
      if (operation.type === 'delete' && !before) continue;
      isChanged = true;
      const value = operation.type === 'put' ? operation.value : null;
      const was = before ? [before.value, Number(before.revision)] : [null, null];
      this.#run(
        'INSERT INTO change VALUES (?, ?, ?, ?, ?)',
        revision,
        operation.key,
        value,
        ...was,
      );
      if (operation.type === 'delete') {
        this.#run('DELETE FROM entry WHERE key = ?', operation.key);
      } else {
        const lease = operation.lease ? Number(operation.lease) : null;
        this.#run(PUT, operation.key, operation.value, revision, lease);
      }
    }
    return isChanged;
  }

  #compact(revision: number): void {
    this.#run('DELETE FROM change WHERE revision <= ?', revision);
    this.#run("UPDATE state SET value = ? WHERE name = 'compacted'", revision);
  }

  #state(): { readonly revision: number; readonly compacted: number } {
    const values = new Map(
      this.#all('SELECT name, value FROM state').map((row) => [row.name, Number(row.value)]),
    );
    return { revision: values.get('revision') ?? 0, compacted: values.get('compacted') ?? 0 };
  }

  #reading<T>(work: () => T): T {
    return this.#within('BEGIN', work);
  }

  #writing<T>(work: () => T): T {
    return this.#within('BEGIN IMMEDIATE', work);
  }

  #within<T>(begin: string, work: () => T): T {
    this.#database.exec(begin);
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite itself has rolled back after some errors, such as a full disk.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #one(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values);
  }

  #run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }
}
