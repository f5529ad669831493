import { writeSync } from 'node:fs';
import type { LeaseId, Operation } from '../datastore.ts';
import { openConnection } from '../sqlite/connection.ts';
import { SqliteEngine } from '../sqlite/sqlite-engine.ts';
import { betweenStatements } from './between-statements.ts';

// A program: writes the same number to several keys, transaction after transaction, and kills itself (SIGKILL)
// before a given statement. Arguments: path, first number, statement to die before, and `leases` to put each number
// under a lease of its own, which is kept and then ended. Says `trying N` and `wrote N`.

const [path = '', first = '1', fatal = '0', work = 'transactions'] = process.argv.slice(2);
const NOW = { milliseconds: 0, boot: 'boot' };
let left = Number(fatal);

function beforeStatement(): void {
  if (--left <= 0) process.kill(process.pid, 'SIGKILL');
}

const { database } = openConnection(path, true);
const engine = new SqliteEngine(betweenStatements(database, beforeStatement));
for (let n = Number(first); ; n++) {
  writeSync(1, `trying ${n}\n`);
  if (work === 'leases') lease(n);
  else transact(n);
  writeSync(1, `wrote ${n}\n`);
}

function transact(n: number): void {
  const operations = Array.from({ length: 5 }, (_, i): Operation => {
    // One key comes and goes.
    if (i === 4 && n % 2 === 1) return { type: 'delete', key: '/k/4' };
    return { type: 'put', key: `/k/${i}`, value: String(n) };
  });
  engine.transact([{ conditions: [], operations }]);
}

function lease(n: number): void {
  const id = engine.grantLease(60_000, NOW);
  const operations = ['/l/1', '/l/2'].map(
    (key): Operation => ({ type: 'put', key, value: String(n), lease: String(id) as LeaseId }),
  );
  engine.transact([{ conditions: [], operations }]);
  engine.keepLease(id, NOW);
  engine.endLeases([id]);
}
