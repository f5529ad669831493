import { type AnyResource, parseJson } from '@overland/model';
import { parseYaml } from '@overland/model/yaml';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../command.ts';
import { parseOutputFormat } from './output-format.ts';
import { createPrinter } from './printer.ts';

const POOL = 'IPPool';
/** With an integer that a number cannot hold, and a text that is none in some YAML. */
const first = pool('a', { cidr: '10.65.0.0/16', large: 9_007_199_254_740_993n, text: 'yes\nno' });
const second = pool('b', { cidr: '10.66.0.0/16' });

function pool(name: string, spec: object): AnyResource {
  const metadata = { name, labels: { 'x.io/rack': 'r1' } };
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: POOL,
    metadata,
    spec,
  } as unknown as AnyResource;
}

/** What pages of resources are printed as. */
function print(
  typed: string,
  pages: readonly (readonly AnyResource[])[],
  { isSingle = false, hasNamespaceColumn = false } = {},
): string {
  const format = parseOutputFormat(typed, {
    kind: POOL,
    hasNamespaceColumn,
    workingDirectory: '/',
  });
  const printer = createPrinter(format, {
    kind: POOL,
    isSingle,
    cluster: { asNumber: '64512' },
    colours: { bold: (text) => text },
  });
  return [...pages.map((page) => printer.page(page, '7')), printer.end()].join('');
}

describe('what is printed in pages is one text', () => {
  const list = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPoolList',
    metadata: { resourceVersion: '7' },
  };

  test.each([
    [
      [[first], [second]],
      [first, second],
    ],
    [[[first, second]], [first, second]],
    [[[], [first], []], [first]],
    [[[]], []],
  ])('JSON and YAML of case %#', (pages, items) => {
    expect(parseJson(print('json', pages))).toEqual({ ...list, items });
    const [document, ...rest] = items.length === 0 ? [] : parseYaml(print('yaml', pages));
    if (document)
      expect('value' in document && document.value).toMatchObject({ metadata: items[0]?.metadata });
    expect(rest).toHaveLength(Math.max(0, items.length - 1));
  });

  test('an empty list is one', () => {
    expect(print('yaml', [[]])).toBe(
      'apiVersion: projectcalico.org/v3\nkind: IPPoolList\nmetadata:\n  resourceVersion: "7"\nitems: []\n',
    );
  });

  test('columns stand where they stood on the page before, or further right', () => {
    expect(
      print('custom-columns=NAME,CIDR', [[second], [pool('longer', { cidr: '::/64' })], [second]]),
    ).toBe('NAME  CIDR\nb     10.66.0.0/16\nlonger  ::/64\nb       10.66.0.0/16\n');
  });
});

test('one object that was named is printed itself; integers are exact', () => {
  const yaml = print('yaml', [[first]], { isSingle: true });
  expect(yaml).toMatch(
    /^apiVersion: projectcalico.org\/v3\nkind: IPPool\nmetadata:\n {2}name: a\n/,
  );
  expect(yaml).toContain('  large: 9007199254740993\n  text: "yes\\nno"\n');
  expect(yaml).toContain('  cidr: 10.65.0.0/16\n');
  expect(print('json', [[first]], { isSingle: true })).toContain('"large": 9007199254740993');
});

test.each([
  ['name', 'ippool/a\nippool/b\n'],
  [
    "custom-columns=NAME,R:.metadata.labels['x.io/rack'],X:.spec.none",
    'NAME  R   X\na     r1  <none>\nb     r1  <none>\n',
  ],
  ['go-template={{range .items}}{{.metadata.name}};{{end}}', 'a;b;'],
  ['template={{len .items}}', '2'],
])('%s', (format, expected) => {
  expect(print(format, [[first], [second]])).toBe(expected);
});

test.each([
  ['table', 'is not a format: ps, wide, yaml'],
  ['yaml=x', 'is not a format'],
  ['custom-columns', 'is not a format'],
  ['custom-columns=NAME,NODE', 'IPPool has no column NODE, only NAME, CIDR'],
  ['custom-columns=:.a', 'has no title'],
  ['custom-columns=A:.a[', 'cannot read'],
  ['go-template={{', 'is not closed'],
  ['go-template-file=/none', 'cannot read /none'],
])('-o %s is refused', (typed, message) => {
  expect(() => print(typed, [])).toThrow(UsageError);
  expect(() => print(typed, [])).toThrow(message);
});
