import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseAttachRequest } from './api.ts';
import { fileJournal } from './file-journal.ts';
import type { Journal } from './journal.ts';
import { newRecord } from './workload-record.ts';

let directory: string;
let journal: Journal;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'overland-journal-')), 'workloads');
  journal = fileJournal(directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const request = {
  containerId: 'c0ffee',
  interface: 'eth0',
  namespacePath: '/run/netns/web1',
  name: 'web1',
};
const record = newRecord(
  { node: 'host11', families: ['ipv4'], mtu: 1500 },
  parseAttachRequest(request),
);
const file = `${record.hostInterface}.json`;

test('is empty before anything is written', async () => {
  expect(await journal.list()).toEqual({ records: [], unreadable: [] });
  await journal.remove(record.hostInterface);
});

test('gives back what was written last', async () => {
  await journal.write(record);
  await journal.write({ ...record, state: 'attached' });

  expect(await fileJournal(directory).list()).toEqual({
    records: [{ ...record, state: 'attached' }],
    unreadable: [],
  });
  await journal.remove(record.hostInterface);
  expect(await journal.list()).toEqual({ records: [], unreadable: [] });
});

test('is for its owner only', async () => {
  await journal.write(record);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600);
});

test('leaves alone what it cannot read, and does not see what was not finished', async () => {
  await journal.write(record);
  await writeFile(join(directory, 'cali1.json'), '{"version":2}');
  await writeFile(join(directory, 'cali2.json'), '{"versi');
  await writeFile(join(directory, 'cali3.json.new'), '{"version":1}');

  expect(await journal.list()).toEqual({
    records: [record],
    unreadable: [join(directory, 'cali1.json'), join(directory, 'cali2.json')],
  });
  expect(await readdir(directory)).toHaveLength(4);
});

test('a disk that takes nothing is named', async () => {
  await writeFile(directory, 'a file where the directory should be');
  await expect(journal.write(record)).rejects.toMatchObject({
    name: 'JournalError',
    message: expect.stringMatching(/^the journal in .*workloads cannot be written: E/),
  });
});
