import { describe, expect, test } from 'vitest';
import { parseYaml } from './parse-yaml.ts';

/** The values, or the mistakes, of all documents. */
function parsed(text: string): unknown[] {
  return parseYaml(text).map((document) =>
    'error' in document ? document.error.message : document.value,
  );
}

describe('documents', () => {
  test('several, empty ones left out', () => {
    expect(parseYaml('a: 1\n---\n# nothing\n---\nb: [x, 0x10]\n...\n---\n~\n')).toMatchObject([
      { index: 0, line: 1, value: { a: 1 } },
      { index: 1, line: 5, value: { b: ['x', 16] } },
    ]);
    expect(parseYaml('')).toEqual([]);
    expect(parseYaml('---\n---\n# x\n...\n')).toEqual([]);
  });

  test('begin at a line of ---, and at no other', () => {
    expect(parsed('--- {a: 1}\n--- |\n ---\n--- # x\nb: ---x\n')).toEqual([
      { a: 1 },
      '---\n',
      { b: '---x' },
    ]);
    expect(parsed('a: 1\n...\nb: 2\n')).toEqual([{ a: 1 }, { b: 2 }]);
  });

  test('directives belong to what follows them', () => {
    expect(parsed('%YAML 1.2\n# x\n---\na: 1\n...\n%YAML 1.2\n---\nb: 1')).toEqual([
      { a: 1 },
      { b: 1 },
    ]);
  });

  test('JSON is YAML, whatever it is indented with', () => {
    expect(parsed('{"a": [1, null, "x"]}')).toEqual([{ a: [1, null, 'x'] }]);
    const value = { 'a b': ['\u{1F600}\\"/\b', 1e-7, -1e21], c: { d: {}, e: [] } };
    expect(parsed(JSON.stringify(value))).toEqual([value]);
    expect(parsed(JSON.stringify(value, undefined, '\t'))).toEqual([value]);
  });

  test('lists of objects are taken apart; each knows its line', () => {
    const text =
      'kind: List\napiVersion: v1\nitems:\n- {kind: A}\n\n- kind: B\n---\nkind: IPPoolList\nitems: []\n---\nkind: List';
    expect(parseYaml(text)).toMatchObject([
      { index: 0, line: 4, value: { kind: 'A' } },
      { index: 1, line: 6, value: { kind: 'B' } },
    ]);
    expect(parsed('kind: List\nitems: {}')).toEqual([
      'line 2, column 1: items of a List must be a list',
    ]);
  });

  test('a byte order mark, carriage returns and integers of any size', () => {
    expect(parsed('\uFEFFa: 1\r\nb: 1787654321234567890\r\n')).toEqual([
      { a: 1, b: 1787654321234567890n },
    ]);
  });
});

test('what is behind a dash alone is shown at what is around it', () => {
  const [, document] = parseYaml('a: 1\n---\n\nkind: x\nspec:\n  ingress:\n    -\n');
  expect(document && 'value' in document && document.lineOf(['spec', 'ingress', 0, 'action'])).toBe(
    6,
  );
});

describe('lines of what stands in a document', () => {
  const text = `a: 1
---
# a pool
kind: IPPool
spec:
  cidr: 1

  list:
  - x
  - w: [1,
      2]
    "z z": |
      text
    q: &q
      r: 1
  again: *q
---
kind: List
items:
- a: 1
- b:
    c: 1
`;
  test.each([
    [1, [], 4],
    [1, ['spec', 'cidr'], 6],
    [1, ['spec', 'list'], 8],
    [1, ['spec', 'list', 0], 9],
    [1, ['spec', 'list', 1, 'w', 1], 11],
    [1, ['spec', 'list', 1, 'z z'], 12],
    [1, ['spec', 'list', 1, 'q', 'r'], 15],
    // What is not there is shown where it would be.
    [1, ['spec', 'blockSize'], 5],
    [1, ['spec', 'list', 7, 'w'], 8],
    [1, ['spec', 'again', 'r'], 16],
    [1, ['metadata', 'name'], 4],
    [3, ['b', 'c'], 22],
  ])('document %i, %j: line %i', (index, path, line) => {
    const document = parseYaml(text)[index];
    expect(document && 'value' in document && document.lineOf(path)).toBe(line);
  });
});

describe('mistakes are shown with their place', () => {
  test('and do not stop the other documents', () => {
    expect(parsed('a: 1\nb: [1\n---\nc: 2\n---\nd: "x\n---\ne: 1')).toEqual([
      expect.stringMatching(/^line 3, column 1: /),
      { c: 2 },
      expect.stringMatching(/^line \d, column \d: /),
      { e: 1 },
    ]);
  });

  test.each([
    ['a:\n\tb: 1', /^line 2, column 1: tab characters/],
    ['a: 1\nc:\n  b: 2\n  b: 3', 'line 4, column 3: the key "b" stands twice'],
    ['{"a": 1, "a": 1}', 'line 1, column 10: the key "a" stands twice'],
    ['a: &x {b: 1}\nc: {<<: *x, <<: *x}', 'line 2, column 13: the key "<<" stands twice'],
    ['a: {<<: 1}', 'line 1, column 5: << must name an object, or a list of them'],
    ['1: a', 'line 1, column 1: a key must be a text: write "1", in quotes'],
    ['on: push', 'line 1, column 1: a key must be a text: write "on", in quotes'],
    ['? [a]\n: b', 'line 1, column 3: a key must be a text'],
    ['a: !!binary aGk=', 'line 1, column 4: a manifest has no values of the type !!binary'],
    ['a: !x {b: 1}', 'line 1, column 4: a manifest has no values of the type !x'],
    ['a: !!set {b}', 'line 1, column 4: a manifest has no values of the type !!set'],
    ['a: !<tag:yaml.org,2002:str> b', /no values of the type !<tag/],
    ['a: !!int x', 'line 1, column 4: this is no !!int'],
    ['a: 0644', /^line 1, column 4: read differently by YAML 1.1 and 1.2/],
    ['a: .nan', 'line 1, column 4: no number that JSON has'],
    ['a: *b', 'line 1, column 4: *b stands for nothing: no &b is before it'],
    ['a: &b [*b]', 'line 1, column 8: *b stands inside of what it stands for'],
    ['a: b\0', /^line 1, column 5: null byte/],
    ['a: \u0007', /^line 1, column 4: .*non-printable/],
    ['a: @b', /^line 1, column 4: /],
    ['%x\na: 1', /^line 2, column 1: /],
  ])('%j', (text, message) => {
    expect(parsed(text)).toEqual([
      typeof message === 'string' ? message : expect.stringMatching(message),
    ]);
  });

  test('a file that is no YAML at all is not read to its end', () => {
    const found = parsed('a: [\n---\n'.repeat(5000));
    expect(found).toHaveLength(101);
    expect(found.at(-1)).toMatch(/^line 198, column 1: the file is not read any further/);
  });
});

describe('aliases', () => {
  test('are copies', () => {
    const [document] = parsed('a: &x {b: [1]}\nc: *x\nd: [*x, *x]') as [
      { a: { b: number[] }; c: { b: number[] }; d: unknown },
    ];
    expect(document).toEqual({ a: { b: [1] }, c: { b: [1] }, d: [{ b: [1] }, { b: [1] }] });
    expect(document.a.b).not.toBe(document.c.b);
  });

  test('stand for what the name meant where they stand', () => {
    expect(parsed('a: &x 1\nb: &z [*x]\nc: &x 2\nd: [*x, *z]')).toEqual([
      { a: 1, b: [1], c: 2, d: [2, [1]] },
    ]);
  });

  test('are merged by <<: own fields win, then the first source', () => {
    expect(
      parsed('a: &x {b: 1, c: 1}\nd: &w {b: 2, e: 2}\nf: {<<: [*x, *w], c: 3}\ng: {<<: *x}'),
    ).toEqual([
      {
        a: { b: 1, c: 1 },
        d: { b: 2, e: 2 },
        f: { b: 1, c: 3, e: 2 },
        g: { b: 1, c: 1 },
      },
    ]);
    expect(parsed('a: {"<<": 1}')).toEqual([{ a: { '<<': 1 } }]);
  });
});

describe('more than anybody writes by hand is refused', () => {
  const bomb = (open: string, close: string): string =>
    'bcdefghij'
      .split('')
      .map((name, i) => `${name}: &${name} ${open}${`*${'abcdefghij'[i]},`.repeat(9)}${close}`)
      .join('\n');
  test.each([
    ['an alias bomb', `a: &a [x,x,x,x,x,x,x,x,x]\n${bomb('[', ']')}`, /more than 10000 values/],
    ['a merge bomb', `a: &a {x: 1}\n${bomb('{<<: [', ']}')}`, /more than 100 aliases|10000 values/],
    [
      'many aliases',
      `a: &a x\nb: [${'*a,'.repeat(101)}]`,
      'line 2, column 305: more than 100 aliases',
    ],
    ['a huge anchor', `a: &a [${'1,'.repeat(6000)}]\nb: [*a, *a]`, /more than 10000 values/],
    [
      'aliases of aliases',
      `a0: &a0 x\n${Array.from({ length: 99 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}]`).join('\n')}`,
      /more than 100 levels, with what \*a98 stands for/,
    ],
    ['open brackets', '['.repeat(1e5), /more than 100 levels/],
    ['open braces', '{a: '.repeat(1e5), /more than 100 levels/],
    ['dashes', '- '.repeat(1e5), /more than 100 levels/],
    ['question marks', '? '.repeat(1e5), /more than 100 levels/],
    [
      'indentation',
      Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      'line 100, column 100: more than 100 levels',
    ],
    ['a long text', 'x'.repeat(5e6), /characters are more than 4194304/],
    ['many lines', '\n'.repeat(1e6), /1000000 lines, commas and brackets are more than 200000/],
    ['many values', `[${'1,'.repeat(1e6)}]`, /commas and brackets are more than 200000/],
  ])('%s', (_what, text, message) => {
    expect(parsed(text)).toEqual([
      typeof message === 'string' ? message : expect.stringMatching(message),
    ]);
  });

  test('what is allowed in the same places is taken', () => {
    expect(parsed(`${'['.repeat(99)}${']'.repeat(99)}`)).toHaveLength(1);
    expect(parsed(`a: "${'['.repeat(300)}"`)).toEqual([{ a: '['.repeat(300) }]);
    expect(parsed('a: 1\n---\n'.repeat(10_000))).toHaveLength(10_000);
    expect(parsed(`a: |\n${'  *x &y [\n'.repeat(1000)}`)).toEqual([
      { a: '*x &y [\n'.repeat(1000) },
    ]);
  });
});

test('a key named __proto__ is only a key', () => {
  const [document] = parseYaml('__proto__: {polluted: true}\na: {<<: {__proto__: {b: 1}}}');
  expect(document && 'value' in document && Object.keys(document.value as object)).toEqual([
    '__proto__',
    'a',
  ]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
