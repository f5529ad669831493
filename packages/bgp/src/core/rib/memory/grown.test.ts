import { expect, test } from 'vitest';
import { grown } from './grown.ts';

const MEGABYTE = 2 ** 18;

/** Whether the first values are 1, 2, 3, … and those behind them 0. */
function holds(values: Int32Array, count: number): boolean {
  return values.every((value, i) => value === (i < count ? i + 1 : 0));
}

test.each([
  { from: 10, to: 100, more: 1000 },
  { from: MEGABYTE - 1, to: MEGABYTE, more: MEGABYTE + 1 },
  { from: 1000, to: 3 * MEGABYTE + 7, more: 5 * MEGABYTE + 1 },
])(
  '$from, then $to, then $more values: none is lost, and the old array is empty',
  ({ from, to, more }) => {
    const first = Int32Array.from({ length: from }, (_, i) => i + 1);
    const second = grown(first, to);
    expect(second).toHaveLength(to);
    expect(holds(second, from)).toBe(true);
    const third = grown(second, more);
    expect(third).toHaveLength(more);
    expect(holds(third, from)).toBe(true);
    expect([first.length, second.length]).toEqual([0, 0]);
  },
);

test('what is cut off does not come back', () => {
  const long = grown(
    Int32Array.from({ length: 10 }, (_, i) => i + 1),
    2 * MEGABYTE,
  );
  const short = grown(long, 5);
  expect([...short]).toEqual([1, 2, 3, 4, 5]);
  expect(holds(grown(short, 3 * MEGABYTE), 5)).toBe(true);
});
