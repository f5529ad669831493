import { contains, parsePrefix, prefixLength } from '@overland/net';
import { expect, test } from 'vitest';
import { blockOrder } from './block-order.ts';

const pool = parsePrefix('10.65.0.0/16');

test('visits every block of the pool once', () => {
  const blocks = [...blockOrder(pool, 26, 'host11')];
  expect(blocks).toHaveLength(1024);
  expect(new Set(blocks).size).toBe(1024);
});

test('is the same every time for one host', () => {
  expect([...blockOrder(pool, 26, 'host11')].slice(0, 3)).toEqual(
    [...blockOrder(pool, 26, 'host11')].slice(0, 3),
  );
});

test('spreads hosts: few of a hundred begin with the same block, and those part at once', () => {
  const hosts = Array.from({ length: 100 }, (_, i) => {
    const [first, second] = blockOrder(pool, 26, `host${i}`);
    return { first, both: `${first} ${second}` };
  });
  // 100 random picks of 1024 give 95.3 different ones on average.
  expect(new Set(hosts.map(({ first }) => first)).size).toBeGreaterThan(85);
  expect(new Set(hosts.map(({ both }) => both)).size).toBe(100);
});

test('starts at once in a pool of 2^74 blocks', () => {
  const wide = parsePrefix('fd00:65::/48');
  const [first = wide] = blockOrder(wide, 122, 'host11');
  expect(prefixLength(first)).toBe(122);
  expect(contains(wide, first)).toBe(true);
});

test('is a single block when pool and block are the same, and nothing when the block is larger', () => {
  const small = parsePrefix('10.65.0.0/26');
  expect([...blockOrder(small, 26, 'host11')]).toEqual([small]);
  expect([...blockOrder(small, 24, 'host11')]).toEqual([]);
});
