import { expect, test } from 'vitest';
import { NotificationCounts } from './notification-counts.ts';

const data = new Uint8Array(0);

test('by direction and words', () => {
  const counts = new NotificationCounts();
  counts.add('received', { code: 6, subcode: 2, data });
  counts.add('received', { code: 6, subcode: 2, data });
  counts.add('sent', { code: 4, subcode: 0, data });
  expect(counts.counts).toEqual([
    { direction: 'received', name: 'Cease/Administrative Shutdown', count: 2 },
    { direction: 'sent', name: 'Hold Timer Expired', count: 1 },
  ]);
});

test('a peer that makes codes up costs a bounded number of them', () => {
  const counts = new NotificationCounts();
  for (let code = 0; code < 256; code += 1) counts.add('received', { code, subcode: 77, data });
  expect(counts.counts.length).toBeLessThanOrEqual(34);
  const all = counts.counts.reduce((sum, { count }) => sum + count, 0);
  expect(all).toBe(256);
  expect(counts.counts.at(-1)).toMatchObject({ name: 'other' });
});
