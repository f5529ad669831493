import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Runs a benchmark of the packet filter with small sizes, in namespaces of its own. */
async function run(program: string, ...args: readonly string[]): Promise<string> {
  const argv = ['--conditions=@overland/source', `benchmarks/felix/${program}`, ...args];
  const options = { cwd: ROOT, env: { ...process.env, NO_COLOR: '1' } };
  const { stdout } = await promisify(execFile)(
    'scripts/isolated',
    [process.execPath, ...argv],
    options,
  );
  return stdout;
}

test('changes are measured from etcd to the kernel', async () => {
  const table = await run('changes.ts', '3', '100');
  expect(table).toContain('a rule of a policy of 250 endpoints');
  expect(table.match(/met|missed/g)).toHaveLength(4);
});

test('a restart on a kernel that is as it should be writes nothing', async () => {
  const table = await run('restart.ts', '1', '5');
  expect(table).toMatch(/│ 0 +│ 'met' +│\n/);
});

test('endpoints that come and go are reached where policy opens, and nowhere else', async () => {
  const table = await run('churn.ts', '20', '20');
  // Programmed, p50, p99, in time or not, reached where policy opens, where it closes.
  expect(table).toMatch(/│ 20 +│( [^│]+ │){2} '(met|missed)' +│ [1-9]\d* +│ 0 +│ 'met' +│\n/);
});

test('what a packet costs is measured beside iptables and no rules at all', async () => {
  const table = await run('packets/run.ts', '1', '20', '10');
  expect(table.match(/ – /g)).toHaveLength(12);
});
