import { expect, test } from 'vitest';
import { ConvergenceClock } from './convergence.ts';

test('from the first change to the rest after the last', () => {
  const clock = new ConvergenceClock();
  expect(clock.view).toEqual({ count: 0, totalMs: 0, longestMs: 0, lastMs: null });
  clock.rests(5);
  clock.changed(10);
  clock.changed(30);
  clock.rests(60);
  clock.rests(70);
  clock.changed(100);
  clock.rests(110);
  expect(clock.view).toEqual({ count: 2, totalMs: 60, longestMs: 50, lastMs: 10 });
});
