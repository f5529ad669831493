import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = new URL('../../docs/interop.md', import.meta.url);
const [head = '', , ...rows] = readFileSync(page, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|'));
const cellsOf = (row: string): string[] =>
  row.split(' | ').map((cell) => cell.replaceAll('|', '').trim());
const facts = rows.filter((row) => !row.startsWith('| **'));

test.each(facts)('%s: a cell for each peer', (row) => {
  const cells = cellsOf(row);
  expect(cells).toHaveLength(cellsOf(head).length);
  for (const cell of cells.slice(1)) expect(cell).toMatch(/^(\[yes\]|not yet|–|we lack it|\?)/);
});

const promises = readFileSync(new URL('robustness.md', page), 'utf8').split('\n');
const links = [...facts, ...promises].flatMap((row) => [...row.matchAll(/\]\((\S+) "(.+?)"\)/g)]);

test.each(links.map(([, path = '', title = '']) => [title, path] as const))(
  'there is a test "%s" in %s',
  (title, path) => {
    expect(readFileSync(new URL(path, page), 'utf8')).toContain(title);
  },
);
