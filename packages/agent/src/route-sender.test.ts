import type { RouteBatch } from '@overland/net';
import { expect, test } from 'vitest';
import { routeSender } from './route-sender.ts';

function source(count: number) {
  let sequence = 0;
  return {
    left: () => count - sequence,
    nextRouteBatch: (): RouteBatch | undefined =>
      sequence < count
        ? {
            sequence: ++sequence,
            family: 'ipv4',
            nextHopSets: [],
            records: new Uint8Array(0),
            endOfRib: false,
          }
        : undefined,
  };
}

test('batches beyond the window wait for acknowledgements, and all arrive in order', async () => {
  const batches = source(20);
  const arrived: number[] = [];
  const acknowledge: (() => void)[] = [];
  const sender = routeSender(
    batches,
    (batch) => {
      arrived.push(batch.sequence);
      return new Promise((resolve) => acknowledge.push(resolve));
    },
    () => {},
  );
  sender.pump();
  sender.pump();
  expect(arrived).toHaveLength(8);
  expect(batches.left()).toBe(12);
  for (let i = 0; i < 20; i++) {
    acknowledge[i]?.();
    await Promise.resolve();
    await Promise.resolve();
  }
  expect(arrived).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(sender.pending()).toBe(0);
});

test('a batch that is not taken is reported', async () => {
  const failures: unknown[] = [];
  const failure = new Error('gone');
  const sender = routeSender(
    source(1),
    () => Promise.reject(failure),
    (error) => failures.push(error),
  );
  sender.pump();
  await new Promise((resolve) => setImmediate(resolve));
  expect(failures).toEqual([failure]);
});
