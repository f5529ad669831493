import { expect, test } from 'vitest';
import { downSeconds, judgeCount, type PrefixLimit } from './prefix-limit.ts';

const limit: PrefixLimit = {
  most: { ipv4: 1000 },
  warningPercent: 75,
  action: 'restart',
  restartSeconds: 30,
};

test.each([
  [0, 'below'],
  [749, 'below'],
  [750, 'near'],
  [1000, 'near'],
  [1001, 'above'],
] as const)('%i of 1000 prefixes are %s the limit', (count, verdict) => {
  expect(judgeCount(limit, 'ipv4', count)).toBe(verdict);
});

test('a family without a limit, and a limit of none', () => {
  expect(judgeCount(limit, 'ipv6', 1_000_000)).toBe('below');
  expect(judgeCount({ ...limit, most: { ipv6: 0 } }, 'ipv6', 1)).toBe('above');
});

test('only restart comes back by itself', () => {
  expect(downSeconds(limit)).toBe(30);
  expect(downSeconds({ ...limit, action: 'stop' })).toBe(Number.POSITIVE_INFINITY);
});
