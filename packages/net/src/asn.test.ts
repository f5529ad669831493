import { expect, test } from 'vitest';
import { AS_TRANS, parseAsn } from './asn.ts';
import { ParseError } from './parse-error.ts';

test.each([
  ['65101', 65_101],
  [' 65101 ', 65_101],
  [4_294_967_295, 4_294_967_295],
  ['1.10', 65_546], // RFC 5396 section 1
  ['0.65535', 65_535],
  ['65535.65535', 4_294_967_295],
])('%j is AS %i', (value, asn) => {
  expect(parseAsn(value)).toBe(asn);
});

test.each([
  '',
  '0',
  '0.0',
  '-1',
  '4294967296',
  '65536.0',
  '1.65536',
  '1.2.3',
  '6e4',
  '0x10',
  'AS65101',
])('%j is refused', (text) => {
  expect(() => parseAsn(text)).toThrow(ParseError);
});

test.each([0, -1, 1.5, 4_294_967_296, Number.NaN])('%d is refused', (number) => {
  expect(() => parseAsn(number)).toThrow(/expected a whole number from 1 to 4294967295/);
});

test('AS_TRANS is 23456', () => {
  expect(AS_TRANS).toBe(23_456);
});
