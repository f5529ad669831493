import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatastore } from '@overland/datastore';

// How long a command takes to start, beside an empty Node.js process in the same run.
//   node --conditions=@overland/source benchmarks/version.ts [ROUNDS]
// Everything once to warm up, then in turn. Without ./overland: what `scripts/bootstrap` and the shell add.

const ROUNDS = Number(process.argv[2] ?? 21);
const root = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
const directory = mkdtempSync(join(tmpdir(), 'overland-version-'));
const node = `${root}/node_modules/.bin/node`;
const overland = `${root}/overland`;
const env = {
  ...process.env,
  OVERLAND_DATASTORE_TYPE: 'sqlite',
  OVERLAND_SQLITE_PATH: join(directory, 'datastore.db'),
};

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  'an empty Node.js process': [node, '-e', '0'],
  './overland version': [overland, 'version'],
  'without ./overland': [node, `${root}/packages/cli/dist/bin.js`, 'version'],
  './overland version -o json': [overland, 'version', '-o', 'json'],
  './overland --help': [overland, '--help'],
  "./overland selector 'all()'": [overland, 'selector', 'all()'],
  './overland get nodes (SQLite)': [overland, 'get', 'nodes'],
  'Tab behind ./overland get': [overland, '__complete', '--', 'get', ''],
  'Tab behind ./overland get nodes': [overland, '__complete', '--', 'get', 'nodes', ''],
};

/** @returns milliseconds from the start of the process until it has ended. */
function time([file = '', ...args]: readonly string[]): number {
  const before = performance.now();
  const { status, error, stderr } = spawnSync(file, args, { env });
  if (error || (status ?? 2) > 1) throw new Error(`${file} ${args.join(' ')}: ${error ?? stderr}`);
  return performance.now() - before;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

try {
  await (await openDatastore({ type: 'sqlite', path: env.OVERLAND_SQLITE_PATH }))[
    Symbol.asyncDispose
  ]();
  const commands = Object.entries(COMMANDS).map(([name, argv]) => ({ name, argv, ms: [0] }));
  for (const { argv } of commands) time(argv);
  for (const each of commands) each.ms = [];
  for (let round = 0; round < ROUNDS; round++)
    for (const { argv, ms } of commands) ms.push(time(argv));
  const empty = median(commands[0]?.ms ?? []);
  console.table(
    commands.map(({ name, ms }) => ({
      command: name,
      'median ms': Number(median(ms).toFixed(1)),
      'least ms': Number(Math.min(...ms).toFixed(1)),
      'times an empty process': Number((median(ms) / empty).toFixed(2)),
    })),
  );
} finally {
  rmSync(directory, { recursive: true });
}
