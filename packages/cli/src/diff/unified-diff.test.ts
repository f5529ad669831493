import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unifiedDiff } from './unified-diff.ts';

test('hunks have their place, and three lines around', () => {
  const before = 'a b c d e f g h i j k l m'.split(' ');
  const after = 'a b X d e f g h i j k l m n'.split(' ');
  expect(unifiedDiff(before, after)).toEqual([
    '@@ -1,6 +1,6 @@',
    ' a',
    ' b',
    '-c',
    '+X',
    ' d',
    ' e',
    ' f',
    '@@ -11,3 +11,4 @@',
    ' k',
    ' l',
    ' m',
    '+n',
  ]);
});

test('something from nothing, nothing from something, nothing at all', () => {
  expect(unifiedDiff([], ['a', 'b'])).toEqual(['@@ -0,0 +1,2 @@', '+a', '+b']);
  expect(unifiedDiff(['a'], [])).toEqual(['@@ -1,1 +0,0 @@', '-a']);
  expect(unifiedDiff(['a'], ['a'])).toEqual([]);
  expect(unifiedDiff([], [])).toEqual([]);
});

/** What patch(1) would make of it. */
function patch(before: readonly string[], hunks: readonly string[]): string[] {
  const after: string[] = [];
  let read = 0;
  for (const line of hunks) {
    const [, start, count] = /^@@ -(\d+),(\d+) /.exec(line) ?? [];
    if (start !== undefined) {
      const from = Number(start) - (count === '0' ? 0 : 1);
      after.push(...before.slice(read, from));
      read = from;
    } else if (line.startsWith('+')) {
      after.push(line.slice(1));
    } else {
      expect(before[read++]).toBe(line.slice(1));
      if (line.startsWith(' ')) after.push(line.slice(1));
    }
  }
  return [...after, ...before.slice(read)];
}

test('makes the one of the other', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'dd'), { maxLength: 30 });
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      expect(patch(before, unifiedDiff(before, after))).toEqual(after);
    }),
  );
});
