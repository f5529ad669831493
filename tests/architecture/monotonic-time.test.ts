import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
/** Time stamps for people and in files; nothing that waits, or compares, may come from the wall clock. */
const STAMPS = [
  'packages/bgp/src/node/bmp/bmp-peers.ts',
  'packages/bgp/src/node/event-log.ts',
  'packages/bgp/src/node/operator/table-dumps.ts',
];

test('a jump of the clock is nothing to BGP and BFD: no timer of theirs reads the wall clock', () => {
  const sources = globSync('packages/bgp/src/**/*.ts', { cwd: ROOT }).filter(
    (file) => !file.endsWith('.test.ts') && !STAMPS.includes(file),
  );
  expect(sources.length).toBeGreaterThan(100);
  const readers = sources.filter((file) =>
    /\bDate\.now\(|\bnew Date\(/.test(readFileSync(`${ROOT}${file}`, 'utf8')),
  );
  expect(readers).toEqual([]);
});
