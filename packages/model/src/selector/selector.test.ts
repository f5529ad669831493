import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import vectors from '../../test/vectors/selectors.json' with { type: 'json' };
import { selectorId } from '../node/selector-id.ts';
import { type Expression, formatSelector, matches } from './expression.ts';
import { parseSelector, parseTokens } from './parse.ts';
import { SelectorError } from './selector-error.ts';
import { tokenize } from './tokens.ts';

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
    ["gpu == ''", true],
    ['has(gpu)', true],
    ['has( none )', false],
    ["!has(none) && example.org/Role_x == 'edge'", true],
    ["rack in {'r1', 'r2'}", true],
    ['rack in {}', false],
    ['none not in {}', true],
    ["rack not in {'r1',}", false],
    ["none notin {'r1'}", true],
    ["none contains ''", false],
    ["none starts with ''", false],
    ["none ends with ''", false],
    ["rack contains '1' || has(none)", true],
    ["rack starts with 'r' && rack endswith '1'", true],
    ['has(none) && has(none) || has(rack)', true],
    ['has(none) && (has(none) || has(rack))', false],
    ['!(has(rack) && !has(none))', false],
    ["!rack in {'r1'}", false],
    ['global()', true],
    ['has(toString)', false],
    ["__proto__ != 'x'", true],
  ])('%s is %s', (text, wanted) => {
    expect(matches(parseSelector(text), LABELS)).toBe(wanted);
  });
});

describe('canonical spelling and id', () => {
  test.each(vectors.canonical)('$text', ({ text, canonical, id }) => {
    const expression = parseSelector(text);
    expect(formatSelector(expression)).toBe(canonical);
    expect(parseSelector(canonical)).toEqual(expression);
    if (id !== undefined) expect(selectorId(expression)).toBe(id);
  });
});

test('two negations in a row, as rewriting can make them, are none in the canonical spelling', () => {
  const has: Expression = { type: 'has', key: 'a' };
  const not = (operand: Expression): Expression => ({ type: 'not', operand });
  expect(
    [1, 2, 3, 4].map((times) =>
      formatSelector(
        Array(times)
          .fill(not)
          .reduce((x, f) => f(x), has),
      ),
    ),
  ).toEqual(['!has(a)', 'has(a)', '!has(a)', 'has(a)']);
});

describe('mistakes are shown with their column', () => {
  test.each(vectors.invalid)('$text', ({ text, column }) => {
    expect(() => parseSelector(text)).toThrow(SelectorError);
    expect(() => parseSelector(text)).toThrow(expect.objectContaining({ column }));
  });

  test.each([
    ["rack = 'r1'", 'expected no "=" at column 6'],
    ["rack == 'r1", "expected a closing ' for the string at column 9"],
    ['rack == r1', 'expected a string in quotes at column 9'],
    ['some(rack)', 'expected "all", "global" or "has" before "("'],
    ['has (rack)', 'expected no space after "has"'],
    ["rack near 'x'", 'expected "==", "!="'],
    ['&& has(a)', 'expected a label key'],
    ['x'.repeat(2000), 'expected at most 1024 characters'],
    [`${'x'.repeat(513)} == 'a'`, 'expected a key of at most 512 characters at column 1'],
    [`has(${'x'.repeat(513)})`, 'expected a key of at most 512 characters at column 5'],
    ['('.repeat(600), 'expected at most 512 levels of brackets'],
  ])('%s: %s', (text, wanted) => {
    expect(() => parseSelector(text)).toThrow(wanted);
  });
});

test('the longest selectors that Calico takes are taken', () => {
  const deep = `${'('.repeat(509)}all()${')'.repeat(509)}`;
  expect(parseSelector(deep)).toEqual({ type: 'all' });
  expect(parseSelector(`${'!'.repeat(1018)}has(a)`)).toEqual({ type: 'has', key: 'a' });
  const bracketed = `${'!('.repeat(338)}has(a)${')'.repeat(338)}`;
  expect(parseSelector(bracketed)).toEqual({ type: 'has', key: 'a' });
  expect(parseSelector(`has(${'k'.repeat(512)})`)).toMatchObject({ key: 'k'.repeat(512) });
});

const key = fc.stringMatching(/^[A-Za-z0-9_./-]{1,8}$/);
const value = fc.oneof(
  fc.stringMatching(/^[a-z "-]{0,5}$/),
  fc.string({ unit: 'binary', maxLength: 4 }).filter((text) => !text.includes("'")),
  fc.string({ unit: 'binary', maxLength: 4 }).filter((text) => !text.includes('"')),
);
const byUtf8 = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const { expression } = fc.letrec<{ expression: Expression; positive: Expression }>((tie) => ({
  // Two negations in a row are none, so no tree has them.
  expression: fc.oneof(
    { depthSize: 'small' },
    tie('positive'),
    fc.record({ type: fc.constant('not' as const), operand: tie('positive') }),
  ),
  positive: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Expression>({ type: 'all' }, { type: 'global' }),
    fc.record({ type: fc.constant('has' as const), key }),
    fc.record({
      type: fc.constantFrom('==', '!=', 'contains', 'starts with', 'ends with' as const),
      key,
      value,
    }),
    fc.record({
      type: fc.constantFrom('in' as const, 'not in' as const),
      key,
      values: fc.uniqueArray(value, { maxLength: 3 }).map((values) => values.toSorted(byUtf8)),
    }),
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
    { numRuns: 2000 },
  );
});

/** A selector as somebody may write it, and what it says of labels, in plain words. */
interface Written {
  readonly text: string;
  /** What binds looser needs brackets inside what binds tighter. */
  readonly binds: 'or' | 'and' | 'unary';
  readonly holds: (labels: ReadonlyMap<string, string>) => boolean;
}

const space = fc.constantFrom('', ' ', '\t', '  ');
const gap = fc.constantFrom(' ', '\t', ' \t ');
const smallKey = fc.constantFrom('a', 'b', 'in', 'has', 'x.y/z');
const smallValue = fc.constantFrom('', 'a', 'b', 'ab', 'ba', "'", '"');
const quoted = fc.tuple(smallValue, fc.boolean()).map(([raw, double]) => {
  const quote = raw.includes('"') || (!double && !raw.includes("'")) ? "'" : '"';
  return { raw, text: `${quote}${raw}${quote}` };
});

const comparison = fc
  .record({ name: smallKey, s1: gap, s2: space, right: quoted, operator: fc.nat(6) })
  .map(({ name, s1, s2, right: { raw, text }, operator }): Written => {
    const spellings = [
      ['==', (label?: string) => label === raw],
      ['!=', (label?: string) => label !== raw],
      ['contains', (label?: string) => label !== undefined && label.split(raw).length > 1],
      ['starts with', (label?: string) => label?.slice(0, raw.length) === raw],
      ['startswith', (label?: string) => label?.slice(0, raw.length) === raw],
      ['ends  with', (label?: string) => label?.slice(label.length - raw.length) === raw],
      ['endswith', (label?: string) => label?.slice(label.length - raw.length) === raw],
    ] as const;
    const [word, test] = spellings[operator] ?? spellings[0];
    // An empty text is in every label; split cannot say so.
    const holds = (label?: string) =>
      word === 'contains' && raw === '' ? label !== undefined : test(label);
    return {
      text: `${name}${s1}${word}${s2}${text}`,
      binds: 'unary',
      holds: (labels) => holds(labels.get(name)),
    };
  });

const membership = fc
  .record({
    name: smallKey,
    values: fc.array(quoted, { maxLength: 3 }),
    word: fc.constantFrom('in', 'not in', 'notin', 'not\tin'),
    s: space,
    comma: fc.boolean(),
  })
  .map(({ name, values, word, s, comma }): Written => {
    const list = values.map(({ text }) => `${s}${text}${s}`).join(',');
    const last = comma && values.length > 0 ? ',' : '';
    const wanted = word === 'in';
    return {
      text: `${name} ${word}${s}{${list}${last}${s}}`,
      binds: 'unary',
      holds: (labels) => values.some(({ raw }) => labels.get(name) === raw) === wanted,
    };
  });

const call = fc
  .record({ name: fc.constantFrom('has', 'all', 'global'), label: smallKey, s: space })
  .map(
    ({ name, label, s }): Written => ({
      text: name === 'has' ? `has(${s}${label}${s})` : `${name}(${s})`,
      binds: 'unary',
      holds: (labels) =>
        name === 'has'
          ? labels.has(label)
          : name === 'all' || !labels.has('projectcalico.org/namespace'),
    }),
  );

const RANK = { or: 0, and: 1, unary: 2 } as const;
/** In brackets where they are needed, and sometimes where they are not. */
function inside(part: Written, outer: Written['binds'], brackets: boolean): string {
  return brackets || RANK[part.binds] < RANK[outer] ? `( ${part.text})` : part.text;
}

const { written } = fc.letrec<{ written: Written }>((tie) => ({
  written: fc.oneof(
    { depthSize: 'medium' },
    comparison,
    membership,
    call,
    fc.record({ part: tie('written'), s: space, more: fc.boolean() }).map(
      ({ part, s, more }): Written => ({
        text: `!${s}${inside(part, 'unary', more)}`,
        binds: 'unary',
        holds: (labels) => !part.holds(labels),
      }),
    ),
    fc
      .record({
        binds: fc.constantFrom('or' as const, 'and' as const),
        parts: fc.array(fc.tuple(tie('written'), fc.boolean()), { minLength: 2, maxLength: 3 }),
        s: space,
      })
      .map(({ binds, parts, s }): Written => {
        const sign = binds === 'or' ? '||' : '&&';
        return {
          text: parts.map(([part, more]) => inside(part, binds, more)).join(`${s}${sign}${s}`),
          binds,
          holds: (labels) => {
            const results = parts.map(([part]) => part.holds(labels));
            return binds === 'or' ? results.includes(true) : !results.includes(false);
          },
        };
      }),
  ),
}));

const labelSet = fc.dictionary(
  fc.oneof(smallKey, fc.constant('projectcalico.org/namespace')),
  smallValue,
  { maxKeys: 4, noNullPrototype: true },
);

test('what is written means what it says, before and after it is made canonical', () => {
  let matched = 0;
  let runs = 0;
  fc.assert(
    fc.property(written, labelSet, ({ text, holds }, labels) => {
      fc.pre(text.length <= 1024);
      const wanted = holds(new Map(Object.entries(labels)));
      const parsed = parseSelector(text);
      expect(matches(parsed, labels)).toBe(wanted);
      const canonical = formatSelector(parsed);
      if (canonical.length <= 1024) {
        expect(formatSelector(parseSelector(canonical))).toBe(canonical);
        expect(matches(parseSelector(canonical), labels)).toBe(wanted);
      }
      runs++;
      if (wanted) matched++;
    }),
    { numRuns: 3000 },
  );
  // Neither all true nor all false: the test has something to compare.
  expect(matched / runs).toBeGreaterThan(0.2);
  expect(matched / runs).toBeLessThan(0.8);
});

test('each token is looked at a fixed number of times, whatever the text', () => {
  const parts = ['(', '!', '!(', 'a == "b" && (', "a in {'x'} || ", 'has(a) && !', "'x', ", 'a '];
  const texts = [
    ...parts.map((part) => part.repeat(Math.floor(1000 / part.length))),
    `${'('.repeat(400)}has(a)${')'.repeat(400)}`,
    `a in {${"'x',".repeat(240)}}`,
    `has(a)${'||has(a)'.repeat(120)}`,
    `has(a)${'&&!has(a)'.repeat(110)}`,
  ];
  for (const text of texts) {
    const tokens = tokenize(text);
    let looks = 0;
    const counted = new Proxy(tokens, {
      get(target, property, receiver) {
        looks++;
        return Reflect.get(target, property, receiver);
      },
    });
    try {
      parseTokens(counted, text);
    } catch (error) {
      expect(error).toBeInstanceOf(SelectorError);
    }
    // At the deepest level: "!", "(", the atom's alternatives, "&&", "||", ")".
    expect(looks / tokens.length, text.slice(0, 20)).toBeLessThan(12);
  }
});

test('any text is parsed or refused', () => {
  const pieces = fc.constantFrom(
    ...'()!{},\'" \ta=&|',
    'has(',
    'all(',
    'in',
    'not',
    'with',
    'starts',
    '==',
    '&&',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (some) => {
      const text = some.join('');
      try {
        expect(parseSelector(formatSelector(parseSelector(text)))).toEqual(parseSelector(text));
      } catch (error) {
        if (!(error instanceof SelectorError)) throw error;
        expect(error.column).toBeGreaterThan(0);
        expect(error.column).toBeLessThanOrEqual(text.length + 1);
      }
    }),
    { numRuns: 3000 },
  );
});
