import { expect, test } from 'vitest';
import { type PrefixLimit, PrefixLimitWatch } from './prefix-limit.ts';

const limit: PrefixLimit = {
  most: { ipv4: 1000 },
  warningPercent: 75,
  action: 'restart',
  restartSeconds: 30,
};

/** What is said of each count in turn: the verdict, with `!` if the session must end. */
function said(counts: readonly number[], change: Partial<PrefixLimit> = {}): string[] {
  const watch = new PrefixLimitWatch();
  return counts.map((count) => {
    const found = watch.check({ ...limit, ...change }, 'ipv4', count);
    return found ? `${found.verdict}${found.end ? '!' : ''}` : '';
  });
}

test('near from the given share on, above behind the limit', () => {
  expect(said([0, 749, 750, 1000, 1001])).toEqual(['', '', 'near', '', 'above!']);
});

test('each is said once, and again when it comes about again', () => {
  expect(said([1001, 1002, 900, 10, 800], { action: 'warn' })).toEqual([
    'above',
    '',
    'near',
    '',
    'near',
  ]);
});

test('a family without a limit, and a limit of none', () => {
  const watch = new PrefixLimitWatch();
  expect(watch.check(limit, 'ipv6', 1_000_000)).toBeUndefined();
  expect(watch.check({ ...limit, most: { ipv6: 0 } }, 'ipv6', 1)).toMatchObject({ most: 0 });
});

test('after a reset everything may be said again', () => {
  const watch = new PrefixLimitWatch();
  expect(watch.check(limit, 'ipv4', 800)?.verdict).toBe('near');
  watch.reset();
  expect(watch.check(limit, 'ipv4', 800)?.verdict).toBe('near');
});

test('only restart comes back by itself', () => {
  const seconds = (action: PrefixLimit['action']) =>
    new PrefixLimitWatch().check({ ...limit, action }, 'ipv4', 1001)?.end?.downSeconds;
  expect(seconds('restart')).toBe(30);
  expect(seconds('stop')).toBe(Number.POSITIVE_INFINITY);
});
