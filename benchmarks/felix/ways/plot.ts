import type { Figures } from './measure.ts';

export interface WayRow extends Figures {
  readonly name: string;
  readonly what: string;
}

const FIGURES = [
  { key: 'gbits', title: 'Throughput of one TCP stream, Gbit/s (more is better)' },
  { key: 'cpuPerGbit', title: 'CPU seconds for a gigabit, all of the way (less is better)' },
  { key: 'p50Us', title: 'Round trip over TCP, median, µs (less is better)' },
  { key: 'p99Us', title: 'Round trip over TCP, 99th percentile, µs (less is better)' },
] as const satisfies readonly { readonly key: keyof Figures; readonly title: string }[];
const COLOURS = ['#0072b2', '#e69f00', '#cc79a7'] as const;
const [WIDTH, LABEL, BAR, TOP] = [760, 110, 18, 46];
const PLOT = WIDTH - LABEL - 90;

/** Bars of all ways for each figure, from zero on. */
export function drawWays(
  rows: readonly WayRow[],
  { rounds, load }: { readonly rounds: number; readonly load: number },
): string {
  const parts: string[] = [];
  let y = TOP;
  for (const { key, title } of FIGURES) {
    y += 22;
    parts.push(text(LABEL, y - 6, title));
    const most = Math.max(...rows.map((row) => row[key]));
    for (const [i, row] of rows.entries()) {
      const width = ((row[key] / most) * PLOT).toFixed(1);
      const fill = COLOURS[i % COLOURS.length];
      parts.push(
        text(8, y + BAR - 6, row.name),
        `<rect x="${LABEL}" y="${y}" width="${width}" height="${BAR - 4}" fill="${fill}"/>`,
        text(LABEL + Number(width) + 5, y + BAR - 6, String(Number(row[key].toPrecision(3)))),
      );
      y += BAR;
    }
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 14}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="white"/>',
    '<text x="8" y="20" font-size="14">Between containers of two hosts behind a router</text>',
    text(8, 38, `medians of ${rounds} interleaved rounds, load of the machine ${load.toFixed(0)}`),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function text(x: number, y: number, what: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}">${what}</text>`;
}
