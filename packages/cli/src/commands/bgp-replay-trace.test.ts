import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { captureRun } from '../testing/captured-run.ts';

const directory = mkdtempSync(join(tmpdir(), 'bgp-trace-'));
afterAll(() => rmSync(directory, { recursive: true }));

const GOLDEN = join(import.meta.dirname, '../../../bgp/testdata/bird-errors.jsonl');

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

test('a trace that this version repeats', async () => {
  const { code, out } = await captureRun(['bgp', 'replay-trace', GOLDEN]);
  expect(out).toMatch(/^\d+ lines, the same effects\n$/);
  expect(code).toBe(0);
});

test('the first line that has other effects now, as it was and as it is', async () => {
  const path = file(
    'other.jsonl',
    readFileSync(GOLDEN, 'utf8').replace('"to":"Connect"', '"to":"Idle"'),
  );
  const { code, out } = await captureRun(['bgp', 'replay-trace', path]);
  expect(code).toBe(1);
  expect(out).toMatch(
    /^line \d+ has other effects\nrecorded: .*"to":"Idle".*\nnow: +.*"to":"Connect"/,
  );
});

test('what is no trace is named, with its line', async () => {
  const read = async (path: string) => await captureRun(['bgp', 'replay-trace', path]);
  expect(await read(file('empty.jsonl', ''))).toMatchObject({ code: 2 });
  const { code, err } = await read(file('text.jsonl', 'hello\n'));
  expect(code).toBe(2);
  expect(err).toContain('line 1:');
  expect((await read(join(directory, 'none.jsonl'))).err).toContain('ENOENT');
});
