import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { openTraceFile, TraceFile, TraceFileError } from './trace-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'trace-file-'));
afterAll(() => rmSync(directory, { recursive: true }));

const silent = pino({ level: 'silent' });

test('lines are in the file when it is closed, and what it held before is not', () => {
  const path = join(directory, 'trace.jsonl');
  for (const line of ['first', 'second']) {
    using file = openTraceFile(path, silent);
    file.write(line);
  }
  expect(readFileSync(path, 'utf8')).toBe('second\n');
});

test('a trace ends with a whole line before it is too large, and the router is told', () => {
  const path = join(directory, 'large.jsonl');
  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (text: string) => void warnings.push(text) });
  using file = new TraceFile(openSync(path, 'w'), log, 200_000);
  const line = 'x'.repeat(999);
  for (let i = 0; i < 1000; i += 1) file.write(line);
  const written = readFileSync(path, 'utf8');
  expect(written.length).toBeGreaterThan(100_000);
  expect(written.length).toBeLessThanOrEqual(200_000);
  expect(written).toMatch(/^(x{999}\n)+$/);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('the trace ends here');
});

test('a file that cannot be written is refused at once', () => {
  expect(() => openTraceFile(directory, silent)).toThrow(TraceFileError);
});
