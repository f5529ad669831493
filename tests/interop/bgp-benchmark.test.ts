import { execFile } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PROGRAM = join(import.meta.dirname, '../../benchmarks/bgp/run.ts');

interface Report {
  readonly rows: readonly {
    readonly row: string;
    readonly router: string;
    readonly figures: Readonly<Record<string, number>>;
  }[];
}

test('the benchmarks beside other routers run, with small tables', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'benchmark-')), 'report.json');
  const size = ['--scale', '0.002', '--rounds', '1', '--routers', 'overland,bird'];
  const scenarios = ['table-ipv6', 'reflection', 'churn'];
  const argv = [PROGRAM, ...size, '--scenarios', scenarios.join(','), '--json', file];
  await promisify(execFile)(process.execPath, ['--conditions=@overland/source', ...argv]);
  const { rows } = JSON.parse(await readFile(file, 'utf8')) as Report;
  const timed = rows.map(({ row, router, figures }) => [
    `${row}, ${router}`,
    (figures.ms ?? figures.p50Ms ?? 0) > 0,
  ]);
  const expected = ['a ipv6', 'd withdraw ipv6', 'd session lost ipv6', 'c', 'e'].flatMap((row) =>
    ['bird', 'overland'].map((router) => [`${row}, ${router}`, true]),
  );
  expect(Object.fromEntries(timed)).toEqual(Object.fromEntries(expected));
});
