import { expect, test } from 'vitest';
import { Health } from './health.ts';

test('a part is live until its deadline passes without a report', () => {
  const health = new Health();
  health.expect('store', 1000, 0);
  expect(health.summary(500)).toMatchObject({ live: true, ready: false });

  health.report('store', { ready: true, detail: 'in sync' }, 900);
  expect(health.summary(1900)).toMatchObject({ live: true, ready: true });
  expect(health.summary(4900)).toEqual({
    live: false,
    ready: false,
    parts: [{ part: 'store', live: false, ready: false, detail: 'no report for 4 s' }],
  });
});

test('one part that is not ready makes the whole not ready, but it stays live', () => {
  const health = new Health();
  health.expect('store', 1000, 0);
  health.expect('speaker', 1000, 0);
  health.report('speaker', { ready: true, detail: '2 of 2 peers up' }, 0);
  health.report('store', { ready: false, detail: 'datastore cannot be reached' }, 0);
  expect(health.summary(0)).toMatchObject({ live: true, ready: false });
});

test('parts that have not started yet keep the whole from being ready', () => {
  const health = new Health(['store', 'speaker']);
  expect(health.summary(0)).toMatchObject({ live: true, ready: false });
  health.expect('speaker', 1000, 0);
  health.report('speaker', { ready: true, detail: '2 of 2 peers up' }, 0);
  // However long a start takes: whoever waits for a thread to start decides about that.
  expect(health.summary(600_000)).toMatchObject({
    ready: false,
    parts: [
      { part: 'store', live: true, ready: false, detail: 'starting' },
      { part: 'speaker', live: false },
    ],
  });
});
