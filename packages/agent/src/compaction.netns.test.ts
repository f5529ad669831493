import { type Datastore, openDatastore } from '@overland/datastore';
import { EtcdProcess } from '@overland/datastore/testing';
import { COMPACTION_LEADER_KEY, CONTROLLERS_CONFIGURATION_KEY } from '@overland/model';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { compactByPeriod } from './compaction.ts';

const SOON = { timeout: 15_000, interval: 50 };

function period(text: string): string {
  return JSON.stringify({ spec: { etcdV3CompactionPeriod: text } });
}

test('one agent compacts etcd by period; when it dies another does; watches survive', async () => {
  await using etcd = await EtcdProcess.start();
  await etcd.ctl('put', CONTROLLERS_CONFIGURATION_KEY, period('1s'));
  const open = (): Promise<Datastore> =>
    openDatastore({ type: 'etcd', endpoints: [etcd.endpoint] });
  await using store = await open();
  const put = (value: string) =>
    store.transact({ conditions: [], operations: [{ type: 'put', key: '/a', value }] });
  const stop = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const change of store.watch('/a', stop.signal)) {
      seen.push(change.type === 'put' ? change.entry.value : change.type);
    }
  })();
  const agents = await Promise.all(
    ['host1', 'host2'].map(async (nodeName) => {
      const datastore = await open();
      const options = { datastore, nodeName, log: pino({ enabled: false }), ttlSeconds: 2 };
      return { nodeName, datastore, done: compactByPeriod(options, stop.signal) };
    }),
  );
  const leader = async (): Promise<string> => {
    const entry = await store.get(COMPACTION_LEADER_KEY);
    return (JSON.parse(entry?.value ?? '{}') as { holder: string }).holder;
  };
  const isCompacted = async (value: string): Promise<void> => {
    const revision = await put(value);
    await put(`${value} again`);
    await vi.waitFor(
      () => expect(store.list('/', { revision })).rejects.toMatchObject({ name: 'CompactedError' }),
      SOON,
    );
  };

  await isCompacted('1');
  const first = await leader();
  // Its connection ends with it, and its lease is kept no longer: as after kill -9.
  await agents.find(({ nodeName }) => nodeName === first)?.datastore[Symbol.asyncDispose]();
  await vi.waitFor(async () => expect(await leader()).toMatch(/^host/), SOON);
  await isCompacted('2');
  expect(await leader()).not.toBe(first);

  await etcd.ctl('put', CONTROLLERS_CONFIGURATION_KEY, period('0'));
  const kept = await put('3');
  await put('3 again');
  // A lease that nobody keeps, and that is longer than three turns, is the clock of this test.
  const lease = /lease (\w+)/.exec(await etcd.ctl('lease', 'grant', '4'))?.[1] ?? '';
  await etcd.ctl('put', '/clock', '', '--lease', lease);
  await vi.waitFor(async () => expect(await store.get('/clock')).toBeUndefined(), SOON);
  expect((await store.list('/a', { revision: kept })).entries[0]?.value).toBe('3');

  expect(seen.at(-1)).toBe('3 again');
  expect(seen).not.toContain('delete');
  stop.abort();
  await watching;
  for (const { done, datastore } of agents) {
    await done;
    await datastore[Symbol.asyncDispose]();
  }
});
