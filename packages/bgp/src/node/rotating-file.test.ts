import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { RotatingFile } from './rotating-file.ts';

const log = pino({ level: 'silent' });
const record = (letter: string, octets = 10): Uint8Array => Buffer.from(letter.repeat(octets));
const directory = (): string => mkdtempSync(join(tmpdir(), 'rotating-'));

function contentsOf(path: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(path)
      .toSorted()
      .map((name) => [name, readFileSync(join(path, name), 'utf8')]),
  );
}

test('a full file makes room for the next, whole records at a time, and the oldest goes', () => {
  const path = directory();
  const file = join(path, 'log');
  {
    using rotating = new RotatingFile({ file, maxOctets: 25, files: 3 }, log);
    for (const letter of 'abcdefgh') rotating.write(record(letter));
  }
  expect(contentsOf(path)).toEqual({
    log: 'g'.repeat(10) + 'h'.repeat(10),
    'log.1': 'e'.repeat(10) + 'f'.repeat(10),
    'log.2': 'c'.repeat(10) + 'd'.repeat(10),
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('what was there is gone on with; with one file alone it begins anew', () => {
  const path = directory();
  const file = join(path, 'log');
  writeFileSync(file, 'x'.repeat(10));
  {
    using rotating = new RotatingFile({ file, maxOctets: 25, files: 1 }, log);
    rotating.write(record('a'));
  }
  expect(contentsOf(path)).toEqual({ log: 'x'.repeat(10) + 'a'.repeat(10) });
  {
    using rotating = new RotatingFile({ file, maxOctets: 25, files: 1 }, log);
    rotating.write(record('b'));
  }
  expect(contentsOf(path)).toEqual({ log: 'b'.repeat(10) });
});

test('a record that is larger than a file may be has one of its own', () => {
  const path = directory();
  const file = join(path, 'log');
  {
    using rotating = new RotatingFile({ file, maxOctets: 5, files: 2 }, log);
    rotating.write(record('a'));
    rotating.write(record('b'));
  }
  expect(contentsOf(path)).toEqual({ log: 'b'.repeat(10), 'log.1': 'a'.repeat(10) });
});

test('what cannot be written is counted, and costs nothing else', () => {
  using rotating = new RotatingFile({ file: '/nowhere/log', maxOctets: 1000, files: 2 }, log);
  for (let i = 0; i < 100; i += 1) rotating.write(record('a', 4096));
  expect(rotating.lost).toBeGreaterThan(50);
});
