import type { Change, Entry, Revision } from '../datastore.ts';

/** A row as `node:sqlite` gives it. */
export type Row = Record<string, unknown>;

export const PUT = `INSERT INTO entry VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
  SET value = excluded.value, revision = excluded.revision, lease = excluded.lease`;
export const LIST = `SELECT key, value, revision FROM entry
  WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?`;
// The earliest change after the revision has what was there at the revision.
export const LIST_AT = `WITH past AS (
    SELECT key, before_value AS value, before_revision AS revision, min(change.revision) AS first
    FROM change WHERE change.revision > ? AND key >= ? AND key < ? GROUP BY key
  )
  SELECT key, value, revision FROM entry
  WHERE key >= ? AND key < ? AND key > ? AND key NOT IN (SELECT key FROM past)
  UNION ALL SELECT key, value, revision FROM past WHERE value IS NOT NULL AND key > ?
  ORDER BY key LIMIT ?`;
export const CHANGES = `SELECT revision, key, value FROM change
  WHERE revision > ? ORDER BY revision, key LIMIT ?`;
export const CHANGES_OF = `SELECT revision, key, value FROM change
  WHERE revision = ? AND key > ? ORDER BY key`;

/** Lower (included) and upper (excluded) bound of the keys with a prefix. */
export function range(prefix: string): [string, string] {
  const last = prefix.charCodeAt(prefix.length - 1);
  if (prefix === '') return ['', '\u{10ffff}'];
  return [prefix, prefix.slice(0, -1) + String.fromCharCode(last + 1)];
}

export function entryOf(row: Row): Entry {
  return {
    key: String(row.key),
    value: String(row.value),
    revision: String(row.revision) as Revision,
  };
}

export function changeOf(row: Row): Change {
  if (row.value !== null) return { type: 'put', entry: entryOf(row) };
  return { type: 'delete', key: String(row.key), revision: String(row.revision) as Revision };
}
