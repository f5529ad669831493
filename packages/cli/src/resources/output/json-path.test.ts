import { expect, test } from 'vitest';
import { parseJsonPath, textOf } from './json-path.ts';

const OBJECT = {
  metadata: { name: 'a', labels: { 'x.io/rack': 'r1', plain: 'p' } },
  spec: { list: [{ n: 1 }, { n: 2 }, { n: 3 }], nothing: null },
};

test.each([
  ['.metadata.name', ['a']],
  ['{.metadata.name}', ['a']],
  ['$.metadata.name', ['a']],
  ['metadata.name', ['a']],
  [".metadata.labels['x.io/rack']", ['r1']],
  ['.metadata.labels["x.io/rack"]', ['r1']],
  ['.metadata.labels.x\\.io\\/rack', ['r1']],
  ['.metadata.labels[*]', ['r1', 'p']],
  ['.metadata.labels.*', ['r1', 'p']],
  ['.spec.list[*].n', [1, 2, 3]],
  ['.spec.list[1].n', [2]],
  ['.spec.list[-1].n', [3]],
  ['.spec.list[9]', []],
  ['.spec.none.at.all', []],
  ['.spec.list.n', []],
  ['.constructor', []],
])('%s finds %j', (path, expected) => {
  expect(parseJsonPath(path)(OBJECT)).toEqual(expected);
});

test.each(['.a[?(@.b)]', '..a', '.a[0:2]', '.a[', ".a['b]", '{.a', '.a b'])(
  'refuses %s',
  (path) => {
    expect(() => parseJsonPath(path)).toThrow(`${path}: cannot read`);
  },
);

test('values in cells: text as it is, integers exact, nothing for nothing', () => {
  expect(['a b', 3n ** 40n, true, { a: [1] }, null, undefined].map(textOf)).toEqual([
    'a b',
    '12157665459056928801',
    'true',
    '{"a":[1]}',
    '',
    '',
  ]);
});
