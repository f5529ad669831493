import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { itemProgress } from './item-progress.ts';
import type { ItemResult } from './run-items.ts';

const item = {
  kind: 'Node',
  name: { name: 'a' },
  subject: 'Node(a)',
  content: { type: 'named' },
} as const;
const RESULTS: readonly ItemResult[] = [
  { item, outcome: 'created' },
  { item, outcome: 'failed', error: new Error('no') },
];

/** What is shown of 100 results that come one every `everyMs`. */
function shown(isInteractive: boolean, everyMs: number): string[] {
  let text = '';
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  let clock = 0;
  {
    using progress = itemProgress(
      { stderr, isInteractive },
      { total: 100, done: 'applied', now: () => clock },
    );
    for (let i = 0; i < 100; i++) {
      clock += everyMs;
      progress.onResult(RESULTS[i % 10 === 9 ? 1 : 0] as ItemResult);
    }
  }
  return text
    .split(/[\r\n]/)
    .map((line) => line.replace(/^.*\] /, '').replace('\u001B[K', ''))
    .filter((line) => line !== '');
}

test('what is done within a second is not spoken of', () => {
  expect(shown(true, 5)).toEqual([]);
  expect(shown(false, 5)).toEqual([]);
});

test('a person sees it move', () => {
  const lines = shown(true, 50);
  expect(lines[0]).toBe('applied 18 of 100, 2 failed');
  expect(lines.length).toBeGreaterThan(30);
  expect(lines.at(-1)).toBe('applied 90 of 100, 10 failed');
});

test('a log gets a line every few seconds', () => {
  expect(shown(false, 125)).toEqual(['applied 36 of 100, 4 failed', 'applied 72 of 100, 8 failed']);
});
