import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Expression, formatSelector, matches } from './expression.ts';
import { parseSelector } from './parse.ts';

const LABELS = { rack: 'r1', gpu: '', 'example.org/Role_x': 'edge' };

describe('evaluation', () => {
  test.each([
    ['', true],
    ['all()', true],
    ["rack == 'r1'", true],
    ['rack=="r2"', false],
    ["rack != 'r2'", true],
    ["none != 'x'", true],
    ["none == ''", false],
    ['has(gpu)', true],
    ['has( none )', false],
    ["!has(none) && example.org/Role_x == 'edge'", true],
    ["rack in {'r1', 'r2'}", true],
    ['rack in {}', false],
    ["rack not in {'r1',}", false],
    ["none notin {'r1'}", true],
    ["rack contains '1' || has(none)", true],
    ["rack starts with 'r' && rack endswith '1'", true],
    ['has(none) && has(none) || has(rack)', true],
    ['has(none) && (has(none) || has(rack))', false],
    ['!(has(rack) && !has(none))', false],
    ['global()', true],
    ['has(toString)', false],
  ])('%s is %s', (text, wanted) => {
    expect(matches(parseSelector(text), LABELS)).toBe(wanted);
  });
});

describe('mistakes are shown with their column', () => {
  test.each([
    ["rack = 'r1'", 'no "=" at column 6'],
    ["rack == 'r1", 'a string without its closing quote at column 9'],
    ['rack == r1', 'a string in quotes at column 9'],
    ['has(rack', '")" at column 9'],
    ['some(rack)', '"all", "global" or "has"'],
    ["rack == 'r1' has(x)", '"&&", "||" or the end at column 14'],
    ["rack near 'x'", '"=="'],
    ["rack in {'a' 'b'}", '"}" at column 14'],
    ['&& has(a)', 'a label key'],
    [`${'!'.repeat(200)}has(a)`, 'at most 100 levels'],
    ['x'.repeat(2000), 'at most 1024 characters'],
    ["a\n== 'b'", 'no "\\n" at column 2'],
  ])('%j: %s', (text, wanted) => {
    expect(() => parseSelector(text)).toThrow(wanted);
  });
});

const key = fc.stringMatching(/^[A-Za-z0-9_./-]{1,8}$/);
const value = fc.stringMatching(/^[a-z "-]{0,5}$/);
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small' },
    fc.constant<Expression>({ type: 'all' }),
    fc.record({ type: fc.constant('has' as const), key }),
    fc.record({
      type: fc.constantFrom('==' as const, '!=' as const, 'contains' as const),
      key,
      value,
    }),
    fc.record({
      type: fc.constantFrom('in' as const, 'not in' as const),
      key,
      values: fc.uniqueArray(value, { maxLength: 3 }).map((values) => values.toSorted()),
    }),
    fc.record({ type: fc.constant('not' as const), operand: tie('expression') }),
    fc.record({
      type: fc.constantFrom('and' as const, 'or' as const),
      operands: fc.array(tie('expression'), { minLength: 2, maxLength: 3 }),
    }),
  ),
}));

test('the canonical spelling parses to the same expression', () => {
  fc.assert(
    fc.property(expression, (tree) => {
      const text = formatSelector(tree);
      fc.pre(text.length <= 1024);
      expect(parseSelector(text)).toEqual(tree);
    }),
  );
});

test('hostile text is refused at once', () => {
  const started = performance.now();
  for (const part of ['(', '!', 'a', ' ', "'", 'a == "', 'in {']) {
    expect(() => parseSelector(part.repeat(1e6))).toThrow();
    expect(() => parseSelector(`${part.repeat(Math.floor(1000 / part.length))}#`)).toThrow();
  }
  expect(performance.now() - started).toBeLessThan(100);
});
