import { expect, test } from 'vitest';
import { RetryQueue } from './retry-queue.ts';

test('a failing key waits 100 ms, then twice as long each time, at most 30 s', () => {
  const queue = new RetryQueue<string>();
  const delays: number[] = [];
  let now = 0;
  for (let i = 0; i < 12; i++) {
    queue.failed('a', 'EINVAL', now);
    const due = queue.nextDueMs() ?? Number.NaN;
    delays.push(due - now);
    expect(queue.takeDue(due - 1)).toEqual([]);
    expect(queue.takeDue(due)).toEqual(['a']);
    now = due;
  }
  expect(delays.slice(0, 4)).toEqual([100, 200, 400, 800]);
  expect(delays.at(-1)).toBe(30_000);
});

test('a key that was taken is not due again by itself, and is forgotten on success', () => {
  const queue = new RetryQueue<string>();
  queue.failed('a', 'ENODEV', 0);
  queue.failed('b', 'EINVAL', 50);
  expect(queue.takeDue(100)).toEqual(['a']);
  expect(queue.takeDue(120)).toEqual([]);
  expect(queue.nextDueMs()).toBe(150);
  queue.forget('a');
  expect([...queue.entries()]).toEqual([{ key: 'b', attempts: 1, reason: 'EINVAL' }]);
});
