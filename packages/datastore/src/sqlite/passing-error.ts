/** SQLite's primary result codes that may pass by themselves, with words for an operator. */
const PASSING: Readonly<Record<number, string>> = {
  5: 'another process has the file locked', // SQLITE_BUSY
  6: 'another process has the file locked', // SQLITE_LOCKED
  7: 'out of memory', // SQLITE_NOMEM
  8: 'the file is read-only', // SQLITE_READONLY
  10: 'the disk fails, or is full', // SQLITE_IOERR
  13: 'the disk is full', // SQLITE_FULL
  14: 'the file cannot be opened', // SQLITE_CANTOPEN
  15: 'the locks are too busy', // SQLITE_PROTOCOL
};

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED = [11, 26];

/** Why trying again later may help; `undefined` if it will not. */
export function passingReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  const sqlite = resultCode(error);
  if (sqlite !== undefined) return PASSING[sqlite];
  // File system: ENOSPC, EACCES, ENOENT, EROFS, EMFILE, …
  return code?.startsWith('E') && !code.startsWith('ERR_') ? error.message : undefined;
}

/** Whether the file is no database, or broken. */
export function isDamage(error: unknown): boolean {
  const code = error instanceof Error ? resultCode(error) : undefined;
  return code !== undefined && DAMAGED.includes(code);
}

function resultCode(error: Error): number | undefined {
  const { code, errcode } = error as Error & { code?: string; errcode?: number };
  return code === 'ERR_SQLITE_ERROR' && errcode !== undefined ? errcode & 0xff : undefined;
}
