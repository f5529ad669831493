import { expect, test } from 'vitest';
import { type Column, formatTable } from './table.ts';

const columns: readonly Column<{ peer: string; routes: number }>[] = [
  { title: 'PEER', cell: (row) => row.peer },
  { title: 'ROUTES', cell: (row) => row.routes, align: 'right' },
];

test('columns are as wide as their widest cell, numbers are right-aligned, no line ends in spaces', () => {
  const rows = [
    { peer: 'spine1', routes: 12 },
    { peer: '2001:db8::1', routes: 1_000_000 },
  ];
  expect(formatTable(columns, rows)).toBe(
    ['PEER          ROUTES', 'spine1            12', '2001:db8::1  1000000', ''].join('\n'),
  );
});

test('colour codes take no width', () => {
  const rows = [
    { peer: '\u001B[32mup\u001B[39m', routes: 1 },
    { peer: 'down', routes: 2 },
  ];
  expect(formatTable(columns, rows)).toBe(
    ['PEER  ROUTES', '\u001B[32mup\u001B[39m         1', 'down       2', ''].join('\n'),
  );
});

test('a listing without rows still has its titles', () => {
  expect(formatTable(columns, [])).toBe('PEER  ROUTES\n');
});
