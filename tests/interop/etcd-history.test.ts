import { type Datastore, openDatastore, type Revision } from '@overland/datastore';
import { EtcdProcess } from '@overland/datastore/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, mirrorOf, put } from './support/datastore-mirror.ts';
import { TcpRelay } from './support/tcp-relay.ts';

const LONG = { timeout: 30_000 };

let etcd: EtcdProcess;
let store: Datastore;
let stop: AbortController;

beforeEach(async () => {
  etcd = await EtcdProcess.start();
  store = await openDatastore({ type: 'etcd', endpoints: [etcd.endpoint], deadlineMs: 1500 });
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await store[Symbol.asyncDispose]();
  await etcd[Symbol.asyncDispose]();
});

const remove = (key: string) => ({
  conditions: [],
  operations: [{ type: 'delete', key } as const],
});

describe('etcd restored from a backup', () => {
  test.for(['etcd-cluster', 'another'])(
    'as cluster %s: watches report all that differs, once, and go on',
    LONG,
    async (token) => {
      await store.transact(put('/kept', '1'));
      await store.transact(put('/deleted', '1'));
      const backup = await etcd.backUp();
      await store.transact(remove('/deleted'));
      await store.transact(put('/kept', 'lost'));
      const lost = await store.transact(put('/lost', '1'));
      const { state, lines } = mirrorOf(store, stop.signal);
      await eventually(() => expect(lines).toEqual(['+/kept=lost', '+/lost=1', 'synced']), 5000);
      lines.length = 0;
      await etcd.restore(backup, token);
      await eventually(() => {
        expect([...state]).toEqual([
          ['/kept', '1'],
          ['/deleted', '1'],
        ]);
      }, 10_000);
      // Whoever asks for a revision that is no more is told so.
      await expect(store.list('/', { revision: lost })).rejects.toMatchObject({
        name: 'CompactedError',
      });
      await store.transact(put('/new', '1'));
      await eventually(() => expect(lines.at(-1)).toBe('+/new=1'), 5000);
      expect(lines.toSorted()).toEqual(['+/deleted=1', '+/kept=1', '+/new=1', '-/lost']);
    },
  );

  test('and already past the revision that was seen: found by its term', LONG, async () => {
    const backup = await etcd.backUp();
    // Each start is an election: the restored one begins with the first again.
    await etcd.crash();
    await etcd.start();
    await eventually(() => store.transact(put('/a', 'lost')).then(() => undefined), 5000);
    const { state, lines } = mirrorOf(store, stop.signal);
    await eventually(() => expect(lines).toContain('synced'), 5000);
    await etcd.crash();
    await etcd.restore(backup);
    for (let i = 0; i < 20; i++) await etcd.ctl('put', '/b', `${i}`);
    await eventually(() => expect([...state]).toEqual([['/b', '19']]), 10_000);
  });
});

describe('a watch from a revision', () => {
  test('knows what was there before it, also after a compaction', LONG, async () => {
    await store.transact(put('/before', '1'));
    await store.transact(put('/same', '1'));
    const { revision } = await store.list('/');
    await store.transact(put('/after', '1'));
    await using relay = await TcpRelay.start(Number(new URL(etcd.endpoint).port));
    await using far = await openDatastore({
      type: 'etcd',
      endpoints: [`127.0.0.1:${relay.port}`],
    });
    const { lines } = mirrorOf(far, stop.signal, revision);
    await eventually(() => expect(lines).toEqual(['synced', '+/after=1']), 5000);
    await relay.cut();
    await etcd.ctl('del', '/before');
    await etcd.ctl('put', '/end', '1');
    await etcd.compact();
    await relay.mend();
    await eventually(() => expect(lines).toHaveLength(4), 10_000);
    expect(lines.slice(2).toSorted()).toEqual(['+/end=1', '-/before']);
  });

  test('that is compacted or of another history is refused by name', LONG, async () => {
    const old = await store.transact(put('/a', '1'));
    await store.transact(put('/a', '2'));
    await etcd.compact();
    const late = String(BigInt(old) + 100n) as Revision;
    for (const [from, message] of [
      [old, 'no longer kept'],
      [late, 'never reached'],
    ] as const) {
      const { lines } = mirrorOf(store, stop.signal, from);
      await eventually(() => expect(lines).toHaveLength(1), 5000);
      expect(lines[0]).toContain(`failed: CompactedError: the revision`);
      expect(lines[0]).toContain(message);
    }
  });
});
