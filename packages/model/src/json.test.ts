import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson, sameJson, stringifyJson } from './json.ts';

describe('64-bit-exact JSON', () => {
  test('keeps integers beyond 2^53 as they are written', () => {
    const text = '{"sequenceNumber":1789012345678901235,"n":{"3":-9223372036854775808},"small":7}';
    const value = parseJson(text);
    expect(value).toEqual({
      sequenceNumber: 1789012345678901235n,
      n: { 3: -9223372036854775808n },
      small: 7,
    });
    expect(stringifyJson(value)).toBe(text);
  });

  test('leaves fractions, exponents and digits in strings alone', () => {
    expect(parseJson('[1.5, 1e20, "12345678901234567890", 1234567.5]')).toEqual([
      1.5,
      1e20,
      '12345678901234567890',
      1234567.5,
    ]);
  });

  test('refuses what is not JSON', () => {
    expect(() => parseJson('{"a":1234567890123456789')).toThrow(SyntaxError);
  });

  test('everything else is as JSON.parse and JSON.stringify have it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(stringifyJson(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test('any 64-bit integer survives', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (n) => {
        const back = parseJson(stringifyJson({ n })) as { n: number | bigint };
        expect(BigInt(back.n)).toBe(n);
      }),
    );
  });
});

describe('sameJson', () => {
  test('ignores key order and undefined', () => {
    expect(sameJson({ a: 1, b: undefined, c: [1n] }, { c: [1n], a: 1 })).toBe(true);
  });
  test.each([
    ['values', { a: 1 }, { a: 2 }],
    ['order of items', [1, 2], [2, 1]],
    ['null and absent', { a: null }, {}],
    ['array and object', [], {}],
    ['bigint and number', 1n, 1],
  ])('tells apart: %s', (_what, a, b) => {
    expect(sameJson(a, b)).toBe(false);
  });
});
