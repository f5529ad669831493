import { closeSync, constants, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { UnusableError } from '../errors.ts';

/** Raised with every change to the tables. A file of a higher version is refused, of a lower one brought up. */
const SCHEMA_VERSION = 1;
/** Marks the file as ours: "OVLD". */
const APPLICATION_ID = 0x4f564c44;
/** How long SQLite itself waits for a lock. Short, because it blocks the thread; the rest is retried outside. */
const BUSY_TIMEOUT_MS = 10;

// `change` is an undo log: what a key held before each change. It answers a watch, and a list at an older
// revision, and can be cut off anywhere.
const SCHEMA = `
  CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO state VALUES ('revision', 1), ('compacted', 0);
  CREATE TABLE entry (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    revision INTEGER NOT NULL,
    lease INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX entry_by_lease ON entry (lease) WHERE lease IS NOT NULL;
  CREATE TABLE change (
    revision INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    before_value TEXT,
    before_revision INTEGER,
    PRIMARY KEY (revision, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE lease (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ttl_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    boot TEXT NOT NULL
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** An open database file. */
export interface Connection {
  readonly database: DatabaseSync;
  /** Of the file that was opened: another one under the same name is another database. */
  readonly inode: number;
}

/**
 * Opens the file.
 *
 * @param mayCreate Whether to make it (mode 0600) and its directory (0700) if need be.
 * @throws {UnusableError} If it is not ours, of a newer version, or damaged.
 * @throws An error of SQLite or the file system that may pass.
 */
export function openConnection(path: string, mayCreate: boolean): Connection {
  if (mayCreate) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Before SQLite does it with the umask's mode; -wal and -shm get the mode of the file.
  closeSync(openSync(path, constants.O_RDWR | (mayCreate ? constants.O_CREAT : 0), 0o600));
  const { ino: inode } = statSync(path);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    prepareDatabase(database, path);
    return { database, inode };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Whether the path names another file than the one that was opened, or none. */
export function wasReplaced(path: string, { inode }: Connection): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino !== inode;
}

/** Makes the tables if need be. @throws {UnusableError} If it is not ours, or of a newer version. */
export function prepareDatabase(database: DatabaseSync, path: string): void {
  // Looked at first: a file that is not ours must not be changed in the least.
  checkVersion(database, path);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216');
  if (pragma(database, 'user_version') === SCHEMA_VERSION) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    if (pragma(database, 'user_version') === 0) database.exec(SCHEMA);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function checkVersion(database: DatabaseSync, path: string): void {
  const { application, version, tables } = readIdentity(database);
  if (application !== APPLICATION_ID && tables > 0) {
    throw new UnusableError(`${path} is a database of another program`);
  }
  if (version > SCHEMA_VERSION) {
    throw new UnusableError(
      `${path} was written by a newer Overland: schema ${version}, of which this one knows ${SCHEMA_VERSION}`,
    );
  }
}

/** All at one moment: another process may be making the tables, and its mark comes with them. */
function readIdentity(database: DatabaseSync) {
  database.exec('BEGIN');
  try {
    const schema = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get();
    return {
      tables: Number(schema?.count),
      application: pragma(database, 'application_id'),
      version: pragma(database, 'user_version'),
    };
  } finally {
    if (database.isTransaction) database.exec('COMMIT');
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}
