import { expect, test } from 'vitest';
import { EventQueue } from './event-queue.ts';

const never = (): AbortSignal => new AbortController().signal;

async function take<T>(queue: EventQueue<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for (let i = 0; i < count; i++) {
    const { value } = await queue.next();
    if (value !== undefined) taken.push(value);
  }
  return taken;
}

test('events come in order, whether they wait or are waited for', async () => {
  const queue = new EventQueue<number>(never());
  queue.push(1);
  queue.push(2);
  expect(await take(queue, 2)).toEqual([1, 2]);
  const waiting = queue.next();
  queue.push(3);
  expect(await waiting).toEqual({ done: false, value: 3 });
});

test('a full queue asks its source to pause, and to go on once it is empty', async () => {
  const queue = new EventQueue<number>(never());
  let resumed = 0;
  queue.onRoom = () => {
    resumed += 1;
  };
  let pushed = 0;
  while (queue.hasRoom) queue.push(pushed++);
  await take(queue, pushed - 1);
  expect(resumed).toBe(0);
  await take(queue, 1);
  expect(resumed).toBe(1);
  expect(queue.hasRoom).toBe(true);
});

test('a failure comes after the events that wait', async () => {
  const queue = new EventQueue<number>(never());
  queue.push(1);
  queue.fail(new Error('lost'));
  expect(await take(queue, 1)).toEqual([1]);
  await expect(queue.next()).rejects.toThrow('lost');
});

test('a failure reaches a loop that waits already', async () => {
  const queue = new EventQueue<number>(never());
  const waiting = queue.next();
  queue.fail(new Error('lost'));
  await expect(waiting).rejects.toThrow('lost');
});

test('aborting ends a waiting loop, and nothing is delivered after it', async () => {
  const stop = new AbortController();
  const queue = new EventQueue<number>(stop.signal);
  const waiting = queue.next();
  stop.abort();
  expect(await waiting).toEqual({ done: true, value: undefined });
  queue.push(1);
  expect(await queue.next()).toEqual({ done: true, value: undefined });
});

test('leaving the loop tells the source', async () => {
  const queue = new EventQueue<number>(never());
  queue.push(1);
  for await (const _ of queue) break;
  expect(queue.ended.aborted).toBe(true);
});
