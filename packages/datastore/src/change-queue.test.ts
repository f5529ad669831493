import { expect, test } from 'vitest';
import { ChangeQueue } from './change-queue.ts';
import type { Change, Revision } from './datastore.ts';

const revision = '1' as Revision;

function put(key: string, value: string): Change {
  return { type: 'put', entry: { key, value, revision } };
}

function remove(key: string): Change {
  return { type: 'delete', key, revision };
}

const SYNCED: Change = { type: 'synced', revision };

function line(change: Change): string {
  if (change.type === 'put') return `+${change.entry.key}${change.entry.value}`;
  return change.type === 'delete' ? `-${change.key}` : 'synced';
}

/** Everything that is queued, to the end. */
async function drained(queue: ChangeQueue): Promise<string[]> {
  queue.end();
  const lines: string[] = [];
  for await (const change of queue.drain(new AbortController().signal)) lines.push(line(change));
  return lines;
}

test('changes come in order, synced in its place', async () => {
  const queue = new ChangeQueue();
  for (const change of [put('a', '1'), put('b', '1'), SYNCED, remove('a'), put('c', '1')]) {
    queue.push(change);
  }
  // Nobody was told of a.
  expect(await drained(queue)).toEqual(['+b1', 'synced', '+c1']);
});

test('however slow the reader, what waits is bounded by what it knows and what exists', async () => {
  const queue = new ChangeQueue();
  queue.know(['known', 'also known']);
  queue.push(SYNCED);
  const changes = queue.drain(new AbortController().signal);
  expect((await changes.next()).value).toBe(SYNCED);
  for (let i = 0; i < 1000; i++) {
    for (const key of [`passing${i}`, 'known']) {
      queue.push(put(key, String(i)));
      queue.push(remove(key));
    }
  }
  queue.push(put('stays', '1'));
  queue.end();
  const lines: string[] = [];
  for await (const change of changes) lines.push(line(change));
  expect(lines).toEqual(['-known', '+stays1']);
});

test('what exists is reported before synced even if it changes meanwhile', async () => {
  const queue = new ChangeQueue();
  for (const change of [put('a', '1'), put('b', '1'), SYNCED, put('a', '2')]) queue.push(change);
  expect(await drained(queue)).toEqual(['+a2', '+b1', 'synced']);
});

test('after synced, only the last change of a key is kept, at its place in time', async () => {
  const queue = new ChangeQueue();
  const signal = new AbortController().signal;
  queue.push(SYNCED);
  const changes = queue.drain(signal);
  expect((await changes.next()).value).toBe(SYNCED);
  for (const change of [put('a', '1'), put('b', '1'), put('a', '2')]) queue.push(change);
  queue.end();
  const lines: string[] = [];
  for await (const change of changes) lines.push(line(change));
  expect(lines).toEqual(['+b1', '+a2']);
});

test('a waiting reader is woken by a change, by the end, by an error and by its signal', async () => {
  const queue = new ChangeQueue();
  const changes = queue.drain(new AbortController().signal);
  const next = changes.next();
  queue.push(put('a', '1'));
  expect((await next).value).toEqual(put('a', '1'));
  const last = changes.next();
  queue.end(new Error('broken'));
  await expect(last).rejects.toThrow('broken');

  const stop = new AbortController();
  const waiting = new ChangeQueue().drain(stop.signal).next();
  stop.abort();
  expect((await waiting).done).toBe(true);
});
