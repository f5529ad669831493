import { describe, expect, test } from 'vitest';
import { parseTemplate } from './parse-template.ts';
import { runTemplate } from './run-template.ts';

const ITEMS = [
  {
    kind: 'IPPool',
    metadata: { name: 'a', labels: { rack: 'r1', role: 'leaf' } },
    spec: { cidr: '10.0.0.0/16', blockSize: 26, disabled: false, uses: ['W', 'T'] },
  },
  { kind: 'IPPool', metadata: { name: 'b' }, spec: { cidr: '10.1.0.0/16', blockSize: 28 } },
];
const LIST = [{ kind: 'IPPoolList', items: ITEMS }];

function print(template: string, root: readonly unknown[] = LIST): string {
  return runTemplate(parseTemplate(template), root);
}

test.each([
  [
    "calicoctl's way, with Go's names",
    '{{range .}}{{range .Items}}{{.ObjectMeta.Name}},{{end}}{{end}}',
    'a,b,',
  ],
  ["kubectl's way", '{{range .items}}{{.spec.cidr}} {{end}}', '10.0.0.0/16 10.1.0.0/16 '],
  ['if and else', '{{range .items}}{{if .metadata.labels}}yes{{else}}no{{end}} {{end}}', 'yes no '],
  [
    'else if',
    '{{range .items}}{{if eq .spec.blockSize 28}}x{{else if eq .spec.blockSize 26}}y{{end}}{{end}}',
    'yx',
  ],
  ['else of an empty range', '{{range .none}}x{{else}}empty{{end}}', 'empty'],
  ['with', '{{range .items}}{{with .spec.uses}}{{join . "+"}}{{else}}-{{end}}{{end}}', 'W+T-'],
  ['variables', '{{range $i, $x := .items}}{{$i}}={{$x.metadata.name}} {{end}}', '0=a 1=b '],
  ['an assignment', '{{$n := len .items}}{{$n}}', '2'],
  ['the root within', '{{range .items}}{{len $.items}}{{end}}', '22'],
  [
    'maps in the order of their keys',
    '{{range .items}}{{range $k, $v := .metadata.labels}}{{$k}}:{{$v}} {{end}}{{end}}',
    'rack:r1 role:leaf ',
  ],
  ['join of a map', '{{range .items}}{{join .metadata.labels ","}};{{end}}', 'rack=r1,role=leaf;;'],
  [
    'a join that is cut off',
    '{{range .items}}{{joinAndTruncate .spec.uses "----" 5}}{{end}}',
    'W-...',
  ],
  [
    'index',
    '{{range .items}}{{index .metadata.labels "rack"}}|{{index .spec.uses 1}};{{end}}',
    'r1|T;|;',
  ],
  [
    'pipes and brackets',
    '{{range .items}}{{if and (not .spec.disabled) (gt .spec.blockSize 26)}}{{.metadata.name | print "n-"}}{{end}}{{end}}',
    'n-b',
  ],
  ['comments and trimmed space', 'a {{- /* no */ -}} b {{- print "}}" }}', 'ab}}'],
  ['raw strings', '{{`{{x}}`}}', '{{x}}'],
  [
    'absent is empty and equals nothing',
    '{{range .items}}{{.spec.none}}{{if eq .spec.none ""}}e{{end}}{{end}}',
    'ee',
  ],
])('%s', (_name, template, expected) => {
  expect(print(template)).toBe(expected);
});

test('objects that were named: each in a list, or the fields of the one', () => {
  expect(print('{{range .}}{{.metadata.name}}{{end}}', ITEMS)).toBe('ab');
  expect(print('{{.metadata.name}}', ITEMS.slice(0, 1))).toBe('a');
});

describe('what is not understood is refused by name', () => {
  test.each([
    ['{{printf "%s" .x}}', 'the function printf is not supported'],
    ['{{define "x"}}{{end}}', '{{define}} is not supported'],
    ['{{template "x"}}', '{{template}} is not supported'],
    ['{{break}}', '{{break}} is not supported'],
    ['{{range .x}}', 'has no {{end}}'],
    ['{{if .x}}{{else}}', 'has no {{end}}'],
    ['{{end}}', 'without a block'],
    ['{{.x', 'is not closed'],
    ['{{eq .a}}', 'eq takes 2 to 9 arguments, not 1'],
    ['{{.a .b}}', "cannot read '.b'"],
    ['{{(.a}}', 'a bracket is not closed'],
    ['{{.a | .b}}', 'only a function can stand behind |'],
    ['{{+}}', "cannot read '+'"],
    [`${'{{if .x}}'.repeat(60)}${'{{end}}'.repeat(60)}`, 'more than 50 blocks'],
    [`{{${'('.repeat(60)}.x${')'.repeat(60)}}}`, 'more than 50 brackets'],
  ])('%s', (template, message) => {
    expect(() => parseTemplate(template)).toThrow(`template: `);
    expect(() => parseTemplate(template)).toThrow(message);
  });

  test.each([
    ['{{$x}}', 'there is no variable $x'],
    ['{{len 3}}', '3 has no length'],
    ['{{lt 3 "a"}}', 'cannot be compared'],
  ])('when it runs: %s', (template, message) => {
    expect(() => print(template)).toThrow(message);
  });
});
