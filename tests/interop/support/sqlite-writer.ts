import { DatabaseSync } from 'node:sqlite';
import { ConflictError, openDatastore } from '@overland/datastore';

// A process that uses a datastore file as its arguments say, for tests that need several, or one to kill.

const [task = '', path = '', count = '0'] = process.argv.slice(2);

/** Adds 1 to a counter, many times, comparing each time; says how many conflicts there were. */
async function increment(times: number): Promise<void> {
  await using store = await openDatastore({ type: 'sqlite', path, deadlineMs: 30_000 });
  let conflicts = 0;
  for (let done = 0; done < times; ) {
    const entry = await store.get('/counter');
    const condition = entry
      ? ({ type: 'revision', key: '/counter', revision: entry.revision } as const)
      : ({ type: 'absent', key: '/counter' } as const);
    const value = String(Number(entry?.value ?? 0) + 1);
    try {
      await store.transact({
        conditions: [condition],
        operations: [{ type: 'put', key: '/counter', value }],
      });
      done++;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      conflicts++;
    }
  }
  console.log(`done ${conflicts}`);
}

/** Holds the write lock until killed. */
function lock(): void {
  const database = new DatabaseSync(path);
  database.exec('BEGIN EXCLUSIVE');
  console.log('locked');
  setInterval(() => database.isOpen, 1000);
}

if (task === 'increment') await increment(Number(count));
else if (task === 'lock') lock();
else throw new Error(`no such task: ${task}`);
