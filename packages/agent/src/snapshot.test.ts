import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { hostId } from './host-id.ts';
import { readSnapshot, type Snapshot, writeSnapshot } from './snapshot.ts';

async function directory(): Promise<string> {
  const path = await mkdtemp(`${tmpdir()}/overland-`);
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

const SNAPSHOT: Snapshot = {
  nodeName: 'host11',
  entries: [
    { key: '/calico/resources/v3/projectcalico.org/nodes/host11', value: '{"a":9007199254740993}' },
  ],
};

test('what was written comes back, values to the letter, and only root reads the file', async () => {
  const path = `${await directory()}/deeper/snapshot.json`;
  await writeSnapshot(path, { ...SNAPSHOT, entries: [] });
  await writeSnapshot(path, SNAPSHOT);
  expect(await readSnapshot(path, 'host11')).toEqual(SNAPSHOT);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a snapshot of another node, of a newer version, or a broken one is none', async () => {
  const path = `${await directory()}/snapshot.json`;
  expect(await readSnapshot(path, 'host11')).toBeUndefined();
  await writeSnapshot(path, SNAPSHOT);
  expect(await readSnapshot(path, 'host12')).toBeUndefined();
  await writeFile(path, JSON.stringify({ ...SNAPSHOT, version: 2 }));
  expect(await readSnapshot(path, 'host11')).toBeUndefined();
  await writeFile(path, '{"version":1,"node');
  expect(await readSnapshot(path, 'host11')).toBeUndefined();
});

test('the host id is made up once', async () => {
  const path = await directory();
  const first = await hostId(path);
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(await hostId(path)).toBe(first);
  expect(await hostId(await directory())).not.toBe(first);
});
