import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from './report.ts';

/**
 * Draws reports of `run.ts --json FILE` as SVG: one file for each figure, bars of all routers by row. Several reports of one
 * scale make one picture.
 *
 *   node --conditions=@overland/source benchmarks/bgp/plot.ts DIRECTORY REPORT.json...
 */

const FIGURES = [
  { figure: 'ms', title: 'Time, ms (logarithmic)', file: 'bgp-time.svg' },
  { figure: 'cpuMs', title: 'CPU of all processes, ms (logarithmic)', file: 'bgp-cpu.svg' },
  { figure: 'peakMb', title: 'Peak memory, MB (logarithmic)', file: 'bgp-memory.svg' },
  {
    figure: 'p50Ms',
    title: 'Propagation of one prefix, median, ms (logarithmic)',
    file: 'bgp-propagation.svg',
  },
] as const;
const COLOURS: Readonly<Record<string, string>> = {
  overland: '#0072b2',
  bird: '#e69f00',
  frr: '#009e73',
  openbgpd: '#cc79a7',
  gobgp: '#56b4e9',
};
const [WIDTH, LABEL, BAR, GAP, TOP] = [760, 150, 13, 10, 50];
const PLOT = WIDTH - LABEL - 90;

interface Bar {
  readonly row: string;
  readonly router: string;
  readonly value: number;
  /** The most that our speaker may have, where there is a bar. */
  readonly most: number | undefined;
}

/** @returns `undefined` if no row has the figure. */
function draw({ rows, scale, load }: Report, figure: string, title: string): string | undefined {
  const bars = rows.flatMap(({ row, router, figures, bars: held }): Bar[] => {
    const value = figures[figure];
    if (value === undefined) return [];
    const limits = held.filter((bar) => bar.figure === figure).map((bar) => value / bar.measured);
    return [{ row, router, value, most: limits.length > 0 ? Math.min(...limits) : undefined }];
  });
  if (bars.length === 0) return undefined;
  const values = bars.flatMap(({ value, most }) => (most === undefined ? [value] : [value, most]));
  const lowest = 10 ** Math.floor(Math.log10(Math.max(0.01, Math.min(...values))));
  const highest = Math.max(...values) * 1.2;
  const x = (value: number): number =>
    LABEL + (PLOT * Math.log(Math.max(value, lowest) / lowest)) / Math.log(highest / lowest);
  const parts: string[] = [];
  let y = TOP;
  let last = '';
  for (const { row, router, value, most } of bars) {
    if (row !== last) {
      y += GAP;
      parts.push(text(LABEL - 8, y + BAR - 3, row, 'end'));
      last = row;
    }
    const width = Math.max(1, x(value) - LABEL);
    const fill = COLOURS[router] ?? '#999999';
    parts.push(
      `<rect x="${LABEL}" y="${y}" width="${round(width)}" height="${BAR - 2}" fill="${fill}"/>`,
    );
    parts.push(
      text(LABEL + width + 5, y + BAR - 3, `${Number(value.toPrecision(3))} ${router}`, 'start'),
    );
    if (most !== undefined) {
      const at = round(x(most));
      parts.push(`<path d="M${at} ${y - 3}v${BAR + 4}" stroke="#d00000" stroke-width="2"/>`);
    }
    y += BAR;
  }
  const note = `scale ${scale}, load of the machine ${load.toFixed(0)}; red: the most that overland is to take`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 20}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="10" y="20" font-size="14">${title}</text>`,
    text(10, 38, note, 'start'),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function text(x: number, y: number, what: string, anchor: 'start' | 'end'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${what}</text>`;
}

function round(value: number): number {
  return Number(value.toFixed(1));
}

const [directory, ...sources] = process.argv.slice(2);
if (directory === undefined || sources.length === 0) {
  throw new Error('plot.ts DIRECTORY REPORT.json...');
}
const reports = await Promise.all(
  sources.map(async (source) => JSON.parse(await readFile(source, 'utf8')) as Report),
);
const [first] = reports;
if (first === undefined) throw new Error('no report');
const report = { ...first, rows: reports.flatMap(({ rows }) => rows) };
for (const { figure, title, file } of FIGURES) {
  const svg = draw(report, figure, title);
  if (svg !== undefined) await writeFile(join(directory, file), svg);
}
