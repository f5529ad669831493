import { NoYamlError, parseJson, printYaml, stringifyJson } from '@overland/model';
import { parseYaml } from '@overland/model/yaml';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readYaml } from './yaml-text.ts';

const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'yes',
    'No',
    '~',
    'null',
    '0x1f',
    '1e3',
    '1:30',
    '<<',
    '- a',
    'a: b',
    '#',
    '',
    ' ',
    '*x',
    '&x',
    '!!str',
  ),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 70n }),
  fc.boolean(),
  fc.constant(null),
);
const { object } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('spec', 'yes', '__proto__', '1'),
    ),
    tie('value'),
    { maxKeys: 4 },
  ),
}));

test('whatever JSON holds is read back as it was', () => {
  fc.assert(
    fc.property(object, (value) => {
      const json = stringifyJson(value);
      const before = parseJson(json) as { readonly [key: string]: unknown };
      expect(parseJson(stringifyJson(readYaml(printYaml(before))))).toEqual(before);
    }),
    { numRuns: 500, seed: 20_261_127 },
  );
});

test('reads as an operator would write it, the usual fields first', () => {
  const text = printYaml({
    kind: 'Node',
    apiVersion: 'projectcalico.org/v3',
    spec: {
      addresses: [{ address: '10.9.1.3/31', type: 'CalicoNodeIP' }],
      empty: {},
      none: [],
      nested: [[1, 2]],
    },
    metadata: { name: 'leaf1-h3', uid: '6f0c', creationTimestamp: '2026-01-05T10:00:00Z' },
  });
  expect(text).toBe(`apiVersion: projectcalico.org/v3
kind: Node
metadata:
  name: leaf1-h3
  uid: "6f0c"
  creationTimestamp: "2026-01-05T10:00:00Z"
spec:
  addresses:
    - address: 10.9.1.3/31
      type: CalicoNodeIP
  empty: {}
  none: []
  nested:
    - - 1
      - 2
`);
  expect(parseYaml(text)).toMatchObject([{ value: { kind: 'Node', spec: { nested: [[1, 2]] } } }]);
});

describe('what has no safe YAML', () => {
  test.each([
    ['too deep', JSON.parse(`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`)],
    ['a key too long', { ['k'.repeat(1001)]: 1 }],
    ['no number', { a: Number.POSITIVE_INFINITY }],
  ])('%s', (_what, value) => {
    expect(() => printYaml(value)).toThrow(NoYamlError);
  });
});

test.each([
  ['- 1', 'not an object'],
  ['', 'not one object'],
  ['a: 1\n---\nb: 1', 'not one object'],
  ['a: b: c', 'line 1, column 5: '],
  ['a: 1\na: 2', 'line 2, column 1: the key "a" stands twice'],
])('%j is refused', (text, message) => {
  expect(() => readYaml(text)).toThrow(message);
});
