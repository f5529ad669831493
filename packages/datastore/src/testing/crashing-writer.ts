import { writeSync } from 'node:fs';
import { type DatabaseSync, StatementSync } from 'node:sqlite';
import type { Operation } from '../datastore.ts';
import { openConnection } from '../sqlite/connection.ts';
import { SqliteEngine } from '../sqlite/sqlite-engine.ts';

// A program: writes the same number to several keys, transaction after transaction, and kills itself (SIGKILL)
// before a given statement. Arguments: path, first number, statement to die before. Says `trying N` and `wrote N`.

const [path = '', first = '1', fatal = '0'] = process.argv.slice(2);
let left = Number(fatal);

function beforeStatement(): void {
  if (--left <= 0) process.kill(process.pid, 'SIGKILL');
}

/** Passes everything on, counting what is executed. */
function counted<T extends DatabaseSync | StatementSync>(target: T): T {
  return new Proxy(target, {
    get(_target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (name !== 'prepare') beforeStatement();
        const result: unknown = member.apply(target, args);
        return result instanceof StatementSync ? counted(result) : result;
      };
    },
  });
}

const { database } = openConnection(path, true);
const engine = new SqliteEngine(counted(database));
for (let n = Number(first); ; n++) {
  writeSync(1, `trying ${n}\n`);
  const operations = Array.from({ length: 5 }, (_, i): Operation => {
    // One key comes and goes.
    if (i === 4 && n % 2 === 1) return { type: 'delete', key: '/k/4' };
    return { type: 'put', key: `/k/${i}`, value: String(n) };
  });
  engine.transact([{ conditions: [], operations }]);
  writeSync(1, `wrote ${n}\n`);
}
