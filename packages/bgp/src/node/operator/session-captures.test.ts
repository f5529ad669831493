import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import type { StreamTap } from '../transport.ts';
import { SessionCaptures } from './session-captures.ts';

const STREAM = {
  local: { address: parseAddress('10.1.0.1'), port: 179 },
  remote: { address: parseAddress('10.1.0.2'), port: 40_000 },
};

function capturing() {
  const runner = { taps: new Set<StreamTap>() };
  const captures = new SessionCaptures();
  const id = captures.begin(runner) ?? '';
  const feed = (octets: Uint8Array): void => {
    for (const tap of runner.taps) tap('received', octets, STREAM);
  };
  return { runner, captures, id, feed };
}

test('what goes over a session is there to be fetched, copied, once', async () => {
  const { captures, id, feed } = capturing();
  using _end = captures;
  const octets = Uint8Array.of(1, 2, 3);
  feed(octets);
  octets.fill(9);
  expect(await captures.next(id, 0)).toMatchObject({
    records: [{ direction: 'received', stream: STREAM, octets: 'AQID' }],
    dropped: 0,
    next: id,
  });
  expect(await captures.next(id, 0)).toMatchObject({ records: [] });
});

test('who waits is answered as soon as something goes', async () => {
  const { captures, id, feed } = capturing();
  using _end = captures;
  const waiting = captures.next(id, 60_000);
  feed(Uint8Array.of(1));
  expect((await waiting)?.records).toHaveLength(1);
});

test('what is not fetched is bounded, in octets and in packets, and the loss is told once', async () => {
  const { captures, id, feed } = capturing();
  using _end = captures;
  for (let i = 0; i < 100; i += 1) feed(new Uint8Array(65_536));
  let [kept, dropped] = [0, 0];
  for (;;) {
    const piece = await captures.next(id, 0);
    kept += piece?.records.length ?? 0;
    dropped += piece?.dropped ?? 0;
    if (piece?.records.length === 0) break;
  }
  expect(kept + dropped).toBe(100);
  expect(kept).toBeLessThanOrEqual(64);
  for (let i = 0; i < 5000; i += 1) feed(Uint8Array.of(1));
  expect((await captures.next(id, 0))?.dropped).toBe(5000 - 4096);
});

test('one that has ended listens no more; there are four at most', async () => {
  const { runner, captures, id } = capturing();
  const others = [1, 2, 3].map(() => captures.begin(runner));
  expect(others).not.toContain(undefined);
  expect(captures.begin(runner)).toBeUndefined();
  expect(captures.end(id)).toBe(true);
  expect(captures.end(id)).toBe(false);
  expect(runner.taps.size).toBe(3);
  expect(await captures.next(id, 0)).toBeUndefined();
  captures[Symbol.dispose]();
  expect(runner.taps.size).toBe(0);
});
