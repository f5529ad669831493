import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';

async function directory(): Promise<string> {
  const path = await mkdtemp(`${tmpdir()}/overland-`);
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

const keeperOf = (path: string) =>
  new SnapshotKeeper<ReadonlyMap<string, string>>({
    write: (entries) => writeSnapshot(path, { nodeName: 'host11', entries: listed(entries) }),
    gatherMs: 500,
    log: pino({ level: 'silent' }),
  });

const listed = (entries: ReadonlyMap<string, string>) =>
  [...entries].map(([key, value]) => ({ key, value }));

test('what changed last is on disk after a flush', async () => {
  const path = `${await directory()}/snapshot.json`;
  const keeper = keeperOf(path);
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
  const keeper = keeperOf(path);
  keeper.changed(new Map([['/a', '1']]));
  await expect(keeper.flush()).resolves.toBeUndefined();
});

test('what a full disk did not take is written when there is room, without another change', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const state = `${await directory()}/state`;
  await writeFile(state, 'a file where the directory should be');
  const path = `${state}/snapshot.json`;
  const keeper = keeperOf(path);
  keeper.changed(new Map([['/a', '1']]));
  await keeper.flush();
  await rm(state);
  await vi.advanceTimersByTimeAsync(10_000);
  await keeper.flush();
  expect(await readSnapshot(path, 'host11')).toMatchObject({
    entries: [{ key: '/a', value: '1' }],
  });
});
