import { expect, test } from 'vitest';
import { Grace } from './grace.ts';

test('what nothing needs goes after its time; what is needed meanwhile starts anew', () => {
  const grace = new Grace(100);
  expect(grace.expired([1, 2], 0)).toEqual([]);
  expect(grace.nextDueMs()).toBe(100);
  expect(grace.expired([2], 50)).toEqual([]);
  expect(grace.expired([2, 1], 100)).toEqual([2]);
  grace.forget(2);
  expect(grace.expired([1], 199)).toEqual([]);
  expect(grace.expired([1], 200)).toEqual([1]);
  grace.forget(1);
  expect(grace.nextDueMs()).toBeUndefined();
});
