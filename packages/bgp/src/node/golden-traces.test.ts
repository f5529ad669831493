import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TraceReplay } from '../core/trace/trace-replay.ts';

const DIRECTORY = join(import.meta.dirname, '../../testdata');
const TRACES = readdirSync(DIRECTORY).filter((name) => name.endsWith('.jsonl'));

// See testdata/README.md for what to do after a change that is meant to change effects.
test.each(TRACES)('%s: the same comes of it', async (name) => {
  const path = join(DIRECTORY, name);
  const replay = new TraceReplay();
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const now = lines.map((line) => replay.replay(line)).join('\n');
  await expect(`${now}\n`).toMatchFileSnapshot(path);
});

test('there are traces of sessions that went well and of others', () => {
  expect(TRACES.toSorted()).toEqual([
    'bird-collision.jsonl',
    'bird-errors.jsonl',
    'bird-graceful-restart.jsonl',
    'frr-refresh.jsonl',
  ]);
  const all = TRACES.map((name) => readFileSync(join(DIRECTORY, name), 'utf8')).join('');
  for (const said of ['"flushStale"', '"refresh"', '"OpenConfirm","to":"Established"', '"stale"']) {
    expect(all).toContain(said);
  }
});
