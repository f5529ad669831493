import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { readSnapshot } from './snapshot.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';

async function directory(): Promise<string> {
  const path = await mkdtemp(`${tmpdir()}/overland-`);
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

test('what changed last is on disk after a flush', async () => {
  const path = `${await directory()}/snapshot.json`;
  const keeper = new SnapshotKeeper(path, 'host11', pino({ level: 'silent' }));
  await keeper.flush();
  expect(await readSnapshot(path, 'host11')).toBeUndefined();
  keeper.changed(new Map([['/a', '1']]));
  keeper.changed(new Map([['/a', '2']]));
  await keeper.flush();
  expect(await readSnapshot(path, 'host11')).toEqual({
    nodeName: 'host11',
    entries: [{ key: '/a', value: '2' }],
  });
});

test('a disk that takes nothing is reported, not thrown', async () => {
  const file = `${await directory()}/file`;
  await writeFile(file, '');
  const path = `${file}/snapshot.json`;
  const keeper = new SnapshotKeeper(path, 'host11', pino({ level: 'silent' }));
  keeper.changed(new Map([['/a', '1']]));
  await expect(keeper.flush()).resolves.toBeUndefined();
});
