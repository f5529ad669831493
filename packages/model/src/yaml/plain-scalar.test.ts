import { expect, test } from 'vitest';
import vectors from '../../test/vectors/plain-scalars.json' with { type: 'json' };
import { readPlainScalar } from './plain-scalar.ts';

test.each(vectors.read)('$text is $value', ({ text, value }) => {
  expect(readPlainScalar(text)).toEqual({ value });
});

test.each(vectors.refused)('$text is refused: $because', ({ text, because }) => {
  expect(readPlainScalar(text)).toEqual({ refused: expect.stringContaining(because) });
});

test('integers of any size are exact', () => {
  expect(readPlainScalar('9007199254740993')).toEqual({ value: 9007199254740993n });
  expect(readPlainScalar('-9223372036854775808')).toEqual({ value: -9223372036854775808n });
  expect(readPlainScalar('0xffffffffffffffff')).toEqual({ value: 18446744073709551615n });
});
