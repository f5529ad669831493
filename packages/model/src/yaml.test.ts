import { describe, expect, test } from 'vitest';
import { parseYaml } from './yaml.ts';

/** The values, or the mistakes, of all documents. */
function parsed(text: string): unknown[] {
  return parseYaml(text).map((document) =>
    'error' in document ? document.error.message : document.value,
  );
}

test('several documents, empty ones left out', () => {
  expect(parseYaml('a: 1\n---\n# nothing\n---\nb: [x, 0x10]\n')).toEqual([
    { index: 0, line: 1, value: { a: 1 } },
    { index: 1, line: 5, value: { b: ['x', 16] } },
  ]);
  expect(parseYaml('')).toEqual([]);
});

test('JSON is YAML', () => {
  expect(parsed('{"a": [1, null, "x"]}')).toEqual([{ a: [1, null, 'x'] }]);
});

test('lists of objects are taken apart', () => {
  const text =
    'kind: List\napiVersion: v1\nitems:\n- {kind: A}\n- {kind: B}\n---\nkind: IPPoolList\nitems: []';
  expect(parsed(text)).toEqual([{ kind: 'A' }, { kind: 'B' }]);
});

test('aliases and merge keys', () => {
  expect(parsed('a: &x {b: 1}\nc: {<<: *x, d: 2}\ne: *x')).toEqual([
    { a: { b: 1 }, c: { b: 1, d: 2 }, e: { b: 1 } },
  ]);
});

test('a mistake is shown with its place and does not stop the others', () => {
  expect(parsed('a: 1\nb: [1\n---\nc: 2\n')).toEqual([
    expect.stringMatching(/^line 3, column 1: /),
    { c: 2 },
  ]);
  expect(parsed('a: 1\nc:\n  b: 2\n  b: 3')).toEqual([
    'line 4, column 3: the key "b" stands twice',
  ]);
  expect(parsed('a:\n\tb: 1')).toEqual([expect.stringMatching(/^line 2, column 1: /)]);
});

describe('hostile text is refused soon', () => {
  const bomb = 'bcdefghij'
    .split('')
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghij'[i]}`).join(',')}]`)
    .join('\n');
  test.each([
    ['an alias bomb', `a: &a [x,x,x,x,x,x,x,x,x]\n${bomb}`, /alias/],
    ['open brackets', '['.repeat(1e6), /more than 100 levels/],
    ['open braces', '{a: '.repeat(1e5), /more than 100 levels/],
    ['dashes', '- '.repeat(1e5), /more than 100 levels/],
    [
      'indentation',
      Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /levels/,
    ],
    ['a long text', 'x'.repeat(5e6), /characters are more/],
    ['many lines', '\n'.repeat(1e6), /lines are more/],
  ])('%s', (_what, text, message) => {
    const started = performance.now();
    expect(parsed(text)).toEqual([expect.stringMatching(message)]);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

test('a key named __proto__ is only a key', () => {
  const [document] = parseYaml('__proto__: {polluted: true}');
  expect(document && 'value' in document && Object.keys(document.value as object)).toEqual([
    '__proto__',
  ]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
