import { expect, test } from 'vitest';
import { MAX_EXTENDED_OCTETS, MAX_MESSAGE_OCTETS } from '../core/wire/header.ts';
import { BufferPool } from './buffer-pool.ts';

test('what was packed is copied to a buffer of its size, which is used again once it is given back', () => {
  const pool = new BufferPool();
  const room = pool.room(MAX_MESSAGE_OCTETS);
  expect(room).toHaveLength(65_536);
  room.fill(7, 0, 3000);
  const first = pool.copy(room.subarray(0, 3000));
  expect(first).toHaveLength(4096);
  expect(pool.room(MAX_MESSAGE_OCTETS)).toBe(room);
  room.fill(8, 0, 3000);
  expect(first.subarray(0, 3000).every((octet) => octet === 7)).toBe(true);
  const second = pool.copy(room.subarray(0, 2049));
  expect(second).not.toBe(first);
  pool.give(first);
  expect(pool.copy(room.subarray(0, 4096))).toBe(first);
  expect(pool.copy(room.subarray(0, 1))).toHaveLength(2048);
  expect(pool.copy(room)).toHaveLength(65_536);
});

test('where messages may be longer there is room for them', () => {
  const pool = new BufferPool();
  expect(pool.room(MAX_EXTENDED_OCTETS)).toHaveLength(262_144);
  expect(pool.room(MAX_MESSAGE_OCTETS)).toHaveLength(65_536);
});

test('no more than a megabyte of a size is kept', () => {
  const pool = new BufferPool();
  const octets = new Uint8Array(65_536);
  const buffers = Array.from({ length: 20 }, () => pool.copy(octets));
  for (const buffer of buffers) pool.give(buffer);
  const again = Array.from({ length: 20 }, () => pool.copy(octets));
  expect(again.filter((buffer) => buffers.includes(buffer))).toHaveLength(16);
});
