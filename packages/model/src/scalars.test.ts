import { expect, test } from 'vitest';
import type { z } from 'zod';
import { parseJson } from './json.ts';
import { asNumber, asNumberOrZero, float64, ruleNamespaceSelector, selector } from './scalars.ts';

/** What a scalar is read as, or what is wrong with it. */
function read(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value);
  return result.success ? result.data : result.error.issues.map(({ message }) => message).join();
}

test.each([
  [64512, 64512],
  ['64512', 64512],
  ['1.10', 65546],
  ['0.1', 1],
  [4294967295, 4294967295],
  ['65535.65535', 4294967295],
])('AS number %j is %j', (value, wanted) => {
  expect(read(asNumber, value)).toBe(wanted);
});

test.each([
  0,
  '0',
  '0.0',
  4294967296,
  '4294967296',
  '65536.0',
  '0.65536',
  1.1,
  '',
  '-1',
  '1e3',
  '0x10',
  ' 5',
  '5\n',
  true,
  null,
])('%j is no AS number', (value) => {
  expect(read(asNumber, value)).toMatch(/^must be /);
});

test.each([0, '0', '0.0', '000'])('%j is no AS number where there may be none', (value) => {
  expect(read(asNumberOrZero, value)).toBeUndefined();
});

test.each(['', ' ', '0x0', '-0.0.0', ' 0'])(
  '%j is refused also where there may be none',
  (value) => {
    expect(read(asNumberOrZero, value)).toMatch(/^must be /);
  },
);

test('global() is only for the namespaceSelector of a rule, and alone', () => {
  expect(read(ruleNamespaceSelector, ' global( ) ')).toBe(' global( ) ');
  expect(read(ruleNamespaceSelector, 'all()')).toBe('all()');
  expect(read(selector, "a == 'global()'")).toBe("a == 'global()'");
  expect(read(ruleNamespaceSelector, 'global() || has(a)')).toBe(
    'must be a selector: global() alone, not combined with anything',
  );
  for (const text of ['global()', 'has(a) && !global()', '(global() || has(a))']) {
    expect(read(selector, text)).toBe(
      "must be a selector: global() only in the namespaceSelector of a policy's rule",
    );
  }
});

test.each([
  ['100.5', 100.5],
  ['-1', -1],
  ['100000000000000000', 1e17],
  ['9007199254740993', 2 ** 53], // as Go rounds it
])('%s is the float64 %d', (json, wanted) => {
  expect(read(float64, parseJson(json))).toBe(wanted);
});

test.each(['"100"', 'null', 'true', '9'.repeat(400), '-1e999'])('%s is no float64', (json) => {
  expect(read(float64, parseJson(json))).toMatch('expected number');
});
