import { expect, test } from 'vitest';
import { type CapturedRun, captureRun } from '../testing/captured-run.ts';

const selector = (...args: string[]): Promise<CapturedRun> => captureRun(['selector', ...args]);

test('canonical spelling and id; matches is null without labels', async () => {
  const { code, out } = await selector('! (has( b)||! has(a ))', '-o', 'json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({
    canonical: '!(has(b) || !has(a))',
    id: 's:Iss0uCleLYv1GSv_pNm7hAO58kE9jAx1NKyG3Q',
    matches: null,
  });
});

test.each([
  ['a=1,b=', true],
  ['a=1, b=2 ', true],
  ['a=1=2,b=x', false],
  ['a=2', false],
  ['', false],
])('with labels %s it matches: %s', async (labels, wanted) => {
  const { out } = await selector("a == '1' && has(b)", '--labels', labels, '-o', 'json');
  expect(JSON.parse(out)).toMatchObject({ matches: wanted });
});

test('labels may be given in several options', async () => {
  const { out } = await selector("a == '1' && has(b)", '-l', 'a=1', '-l', 'b=2');
  expect(out).toMatch(
    /^canonical {2}\(a == "1" && has\(b\)\)\nid {9}s:[\w-]{38}\nmatches {4}yes\n$/,
  );
});

test('a selector that does not parse is exit code 2, with a caret under the mistake', async () => {
  expect(await selector("rack\t= 'r1'", '-o', 'json')).toEqual({
    code: 2,
    out: '',
    err: [
      'overland: the selector does not parse: expected no "=" at column 6',
      "overland:   rack = 'r1'",
      'overland:        ^',
      '',
    ].join('\n'),
  });
  const { err } = await selector(`${'has(a) && '.repeat(40)}&& has(b)`);
  const [, text = '', caret = ''] = err.split('\n');
  expect(text.slice(caret.indexOf('^'))).toMatch(/^&& has\(b\)$/);
  expect(text.length).toBeLessThan(100);
});

test.each([
  ['a', "--labels wants key=value,key=value,…, not 'a'"],
  ['=a', "--labels wants key=value,key=value,…, not '=a'"],
  ['a=1,a=2', '--labels has the key a twice'],
])('labels %s are refused', async (labels, message) => {
  expect(await selector('all()', '-l', labels)).toEqual({
    code: 2,
    out: '',
    err: `overland: ${message}\n`,
  });
});
