import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openDatastore } from '@overland/datastore';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OVERLAND } from './support/agent.ts';

// How soon a command answers is decided by what it loads (decision 0094). Milliseconds are in benchmarks/version.ts.

const EXAMPLES = fileURLToPath(new URL('../../docs/resources/examples', import.meta.url));

/** Prints the package, or the file, of each module that is loaded. */
const SPY = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const loaded = new Set();
  const nameOf = (url) => /node_modules\\/([^/]+)/.exec(url)?.[1] ?? /packages\\/.*/.exec(url)?.[0] ?? url;
  registerHooks({ load(url, context, next) { loaded.add(nameOf(url)); return next(url, context); } });
  process.on('exit', () => process.stderr.write(JSON.stringify([...loaded])));
`)}`;

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'overland-start-'));
  await using _made = await openDatastore({ type: 'sqlite', path: join(directory, 'db') });
});
afterAll(() => rm(directory, { recursive: true }));

async function loadedBy(...args: string[]): Promise<readonly string[]> {
  const [node, ...rest] = OVERLAND;
  const env = { ...process.env, OVERLAND_SQLITE_PATH: join(directory, 'db') };
  const run = await promisify(execFile)(node, ['--import', SPY, ...rest, ...args], { env });
  const lines = run.stderr.slice(run.stderr.indexOf('['));
  return JSON.parse(lines.slice(0, lines.indexOf(']') + 1)) as readonly string[];
}

test('version loads the parser of arguments and what prints, nothing else', async () => {
  const loaded = await loadedBy('version');
  expect(loaded).toContain('packages/cli/src/commands/version.ts');
  expect(loaded.filter((name) => !/^node:|^packages\/cli\//.test(name)).toSorted()).toEqual([
    'commander',
    'picocolors',
  ]);
  expect(loaded.filter((name) => name.startsWith('packages/cli/')).length).toBeLessThan(16);
});

test('a command on SQLite loads no YAML parser, no etcd client and no agent', async () => {
  const loaded = await loadedBy('get', 'nodes');
  expect(loaded).toContain('packages/datastore/src/sqlite/sqlite-datastore.ts');
  for (const heavy of ['yaml', 'js-yaml', '@grpc', 'pino', 'packages/agent/src/run-agent.ts']) {
    expect(loaded).not.toContain(heavy);
  }
});

test.each([
  ['selector', 'all()'],
  ['validate', '-R', '-f', EXAMPLES],
])('%s works offline and loads no datastore', async (...args) => {
  const loaded = await loadedBy(...args);
  expect(loaded).toContain(`packages/cli/src/commands/${args[0]}.ts`);
  expect(loaded.filter((name) => name.startsWith('packages/datastore/'))).toEqual([]);
});
