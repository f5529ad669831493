import { expect, test } from 'vitest';
import { BgpError, ErrorCode } from './bgp-error.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

const FAULT = { code: ErrorCode.UpdateMessage, subcode: 1 };

test('reads back what was written, in network order', () => {
  const written = new Writer()
    .u8(1)
    .u16(0x0203)
    .u32(0x04050607)
    .bytes(Uint8Array.of(8, 9))
    .finish();

  const reader = new Reader(written, FAULT);

  expect(Array.from(written)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect([reader.u8(), reader.u16(), reader.u32()]).toEqual([1, 0x0203, 0x04050607]);
  expect(reader.offset).toBe(7);
  expect(Array.from(reader.rest())).toEqual([8, 9]);
  expect(reader.remaining).toBe(0);
});

test('grows past its first buffer', () => {
  const writer = new Writer();
  for (let i = 0; i < 100; i += 1) writer.u32(i);
  expect(writer.length).toBe(400);
  expect(new DataView(writer.finish().buffer).getUint32(396)).toBe(99);
});

test('a short read is the fault of the field, and moves nothing', () => {
  const reader = new Reader(Uint8Array.of(1), FAULT);
  expect(() => reader.u16()).toThrow(BgpError);
  expect(() => reader.take(-1 >>> 0)).toThrow('octets wanted, 1 left');
  expect(reader.u8()).toBe(1);
});

test('a sub-reader ends where its part ends', () => {
  const sub = new Reader(Uint8Array.of(1, 2, 3), FAULT).sub(2, { code: 2, subcode: 0 });
  expect(sub.u16()).toBe(0x0102);
  expect(() => sub.u8()).toThrow(expect.objectContaining({ code: 2, subcode: 0 }));
});
