import { type Datastore, openDatastore, UnavailableError } from '@overland/datastore';
import { EtcdCluster } from '@overland/datastore/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, mirrorOf, put } from './support/datastore-mirror.ts';

const LONG = { timeout: 60_000 };

let cluster: EtcdCluster;
let stop: AbortController;

beforeEach(async () => {
  cluster = await EtcdCluster.start();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await cluster[Symbol.asyncDispose]();
});

const open = (): Promise<Datastore> =>
  openDatastore({ type: 'etcd', endpoints: cluster.endpoints, deadlineMs: 3000 });

/** Writes one key after the other until told to stop. @returns Those that were acknowledged. */
async function writeKeys(store: Datastore, signal: AbortSignal): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let i = 0; !signal.aborted; i++) {
    const key = `/k/${i}`;
    try {
      await store.transact(put(key, `${i}`));
      acknowledged.push(key);
    } catch (error) {
      // It may have been applied or not: whoever wrote it does not count on it.
      if (!(error instanceof UnavailableError)) throw error;
    }
  }
  return acknowledged;
}

test('a change of leader, and the loss of any member, lose nothing', LONG, async () => {
  await using writer = await open();
  // Which member a client is on is left to chance; three are likely on several.
  const watchers = await Promise.all([open(), open(), open()]);
  const mirrors = watchers.map((store) => mirrorOf(store, stop.signal));
  for (const { lines } of mirrors) await eventually(() => expect(lines).toContain('synced'), 5000);
  const enough = new AbortController();
  const writing = writeKeys(writer, enough.signal);
  const progress = async (): Promise<void> => {
    const before = mirrors.map(({ lines }) => lines.length);
    await eventually(() => {
      for (const [i, { lines }] of mirrors.entries()) {
        expect(lines.length).toBeGreaterThan((before[i] ?? 0) + 20);
      }
    }, 15_000);
  };
  await progress();
  await cluster.moveLeader();
  await progress();
  for (const member of cluster.members) {
    await member.crash();
    await progress();
    await member.start();
  }
  await (await cluster.leader()).crash();
  await progress();
  enough.abort();
  const acknowledged = await writing;
  expect(acknowledged.length).toBeGreaterThan(100);
  for (const { state, lines } of mirrors) {
    await eventually(() => {
      for (const key of acknowledged) expect(state.has(key), key).toBe(true);
    }, 10_000);
    expect(new Set(lines).size).toBe(lines.length); // nothing twice
  }
  for (const watcher of watchers) await watcher[Symbol.asyncDispose]();
});

test('without a majority calls fail in time; with it watches catch up', LONG, async () => {
  await using store = await open();
  const { lines } = mirrorOf(store, stop.signal);
  await eventually(() => expect(lines).toEqual(['synced']), 5000);
  const [first, second] = cluster.members;
  await Promise.all([first?.crash(), second?.crash()]);
  const started = performance.now();
  const calls = [store.get('/a'), store.transact(put('/a', '1')), store.lease(5)];
  for (const outcome of await Promise.allSettled(calls)) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'UnavailableError' } });
  }
  expect(performance.now() - started).toBeLessThan(5000);
  await first?.start();
  await eventually(() => store.transact(put('/b', '2')).then(() => undefined), 15_000);
  await eventually(() => expect(lines).toContain('+/b=2'), 10_000);
});
