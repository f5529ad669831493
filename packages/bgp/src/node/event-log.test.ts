import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { EventLog } from './event-log.ts';

const leaf = { name: 'leaf', address: parseAddress('10.1.0.1') };
const spine = { name: 'spine', address: parseAddress('10.1.0.3') };
const NOW = { waitMs: 0 };

function filled(count: number, capacity = 4): EventLog {
  const log = new EventLog(capacity);
  for (let n = 1; n <= count; n += 1) {
    log.add(n % 2 === 0 ? spine : leaf, { type: 'error', reason: `${n}` });
  }
  return log;
}

test('events in order, with where to go on', async () => {
  const log = filled(3);
  const { events, next, lost } = await log.read({ after: 0, ...NOW });
  expect(events).toMatchObject([
    { id: 1, peer: 'leaf', address: '10.1.0.1', type: 'error', reason: '1' },
    { id: 2, peer: 'spine' },
    { id: 3, peer: 'leaf' },
  ]);
  expect(events[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect({ next, lost }).toEqual({ next: 3, lost: 0 });
  expect(await log.read({ after: 3, ...NOW })).toEqual({ events: [], next: 3, lost: 0 });
});

test('of one peer, by name or address', async () => {
  const log = filled(4);
  const ids = async (peer: string) =>
    (await log.read({ after: 0, peer, ...NOW })).events.map(({ id }) => id);
  expect(await ids('spine')).toEqual([2, 4]);
  expect(await ids('10.1.0.1')).toEqual([1, 3]);
  expect(log.knows('spine')).toBe(true);
  expect(log.knows('spine9')).toBe(false);
});

test('the oldest are forgotten; who was behind them is told how many', async () => {
  const log = filled(10);
  const all = await log.read({ after: 0, ...NOW });
  expect(all.events.map(({ id }) => id)).toEqual([7, 8, 9, 10]);
  expect(all.lost).toBe(0);
  expect((await log.read({ after: 2, ...NOW })).lost).toBe(4);
  expect((await log.read({ after: 8, ...NOW })).lost).toBe(0);
});

test('an answer is bounded', async () => {
  const log = filled(1200, 2000);
  const sizes: number[] = [];
  for (let after = 0; after < 1200; ) {
    const { events, next } = await log.read({ after, ...NOW });
    sizes.push(events.length);
    after = next;
  }
  expect(sizes).toEqual([500, 500, 200]);
});

test('who waits gets the next event as it happens; one of another peer only moves on', async () => {
  const log = filled(1);
  const waiting = log.read({ after: 1, waitMs: 60_000 });
  const other = log.read({ after: 1, peer: 'spine', waitMs: 60_000 });
  log.add(leaf, { type: 'cleared' });
  expect(await waiting).toMatchObject({ events: [{ id: 2, type: 'cleared' }], next: 2 });
  expect(await other).toEqual({ events: [], next: 2, lost: 0 });
  const last = log.read({ after: 2, waitMs: 60_000 });
  log[Symbol.dispose]();
  expect(await last).toMatchObject({ events: [] });
});

test('behind a speaker that has begun anew: from the beginning', async () => {
  const { events } = await filled(2).read({ after: 77, ...NOW });
  expect(events.map(({ id }) => id)).toEqual([1, 2]);
});
