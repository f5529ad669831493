import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RangeResponse, TxnRequest, WatchRequest, WatchResponse } from './messages.ts';
import { decode, encode, many, message, one } from './protobuf.ts';

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

describe('the wire form', () => {
  test('of examples from the Protocol Buffers documentation', () => {
    const test1 = message({ a: one(1, 'int64') });
    expect(encode(test1, { a: '150' })).toEqual(Buffer.from('089601', 'hex'));
    const test2 = message({ b: one(2, 'text') });
    expect(encode(test2, { b: 'testing' })).toEqual(Buffer.from('120774657374696e67', 'hex'));
    const test3 = message({ c: one(3, test1) });
    expect(encode(test3, { c: { a: '150' } })).toEqual(Buffer.from('1a03089601', 'hex'));
    expect(encode(test1, { a: '-2' })).toEqual(Buffer.from('08feffffffffffffffff01', 'hex'));
  });

  test('of a transaction: conditions of zero are there', () => {
    const compare = [{ result: 0, target: 0, key: '/a', version: '0' }];
    expect(encode(TxnRequest, { compare })).toEqual(Buffer.from('0a041a022f61', 'hex'));
  });

  test('zeros are absent, absent ones are zero', () => {
    expect(encode(WatchRequest, { create_request: {} })).toEqual(Buffer.from('0a00', 'hex'));
    expect(decode(WatchResponse, hex(''))).toEqual({
      header: undefined,
      created: false,
      canceled: false,
      compact_revision: '0',
      cancel_reason: '',
      fragment: false,
      events: [],
    });
  });

  test('fields of any type that are not known are skipped', () => {
    // 100: varint, 101: 64 bits, 102: delimited, 103: 32 bits
    const text = 'a00601 a9060102030405060708 b20602ffff bd0601020304 2002';
    expect(decode(message({ known: one(4, 'int32') }), hex(text))).toEqual({ known: 2 });
  });

  test.each(['08', '0aff', '12', '120568656c', '0a80808080'])('%s is cut short', (text) => {
    expect(() => decode(RangeResponse, hex(text))).toThrow(RangeError);
  });
});

test('what is encoded is decoded', () => {
  const inner = message({ text: one(1, 'text'), items: many(2, 'int64') });
  const outer = message({
    number: one(1, 'int64'),
    flag: one(2, 'bool'),
    small: one(3, 'int32'),
    inner: one(4, inner),
    all: many(15, inner),
    texts: many(16, 'text'),
  });
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
  const text = fc.string({ unit: 'grapheme' });
  const innerValue = fc.record({ text, items: fc.array(int64) });
  fc.assert(
    fc.property(
      fc.record({
        number: int64,
        flag: fc.boolean(),
        small: fc.nat(),
        inner: innerValue,
        all: fc.array(innerValue),
        texts: fc.array(text),
      }),
      (value) => {
        expect(decode(outer, encode(outer, value))).toEqual(value);
      },
    ),
  );
});

test('any octets are decoded or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
      try {
        decode(WatchResponse, octets);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});
