import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release } from 'node:os';
import { BARS, type Bar, TASK } from './bars.ts';
import type { Figures } from './scenario.ts';
import { median } from './statistics.ts';

interface Row {
  readonly row: string;
  readonly router: string;
  readonly rounds: number;
  /** Medians of the rounds. */
  readonly figures: Figures;
  /** Of the same row's figures of BIRD. */
  readonly ratios: Figures;
  /** What our speaker is held to, and what it has. */
  readonly bars: readonly (Bar & { readonly measured: number; readonly isMet: boolean })[];
}

export interface Report {
  readonly commit: string;
  readonly date: string;
  readonly machine: string;
  /** Load of the machine over the last quarter of an hour. */
  readonly load: number;
  readonly scale: number;
  readonly rows: readonly Row[];
}

/** By router, then row: the figures of each round. */
type Measured = ReadonlyMap<string, ReadonlyMap<string, readonly Figures[]>>;

const OURS = 'overland';
const YARDSTICK = 'bird';

export function report(measured: Measured, { scale }: { readonly scale: number }): Report {
  const medians = new Map<string, Figures>();
  for (const [router, rows] of measured) {
    for (const [row, rounds] of rows) {
      medians.set(`${router} ${row}`, medianFigures(rounds));
    }
  }
  const rows = [...measured].flatMap(([router, byRow]) =>
    [...byRow].map(([row, rounds]): Row => {
      const figures = medians.get(`${router} ${row}`) ?? {};
      const yardstick = medians.get(`${YARDSTICK} ${row}`) ?? {};
      return {
        row,
        router,
        rounds: rounds.length,
        figures,
        ratios: ratiosOf(figures, yardstick),
        bars: router === OURS ? held(row, figures, (name) => medians.get(`${name} ${row}`)) : [],
      };
    }),
  );
  return {
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus()[0]?.model ?? 'unknown CPU'} × ${cpus().length}, Linux ${release()}, Node ${process.version}`,
    load: loadavg()[2] ?? 0,
    scale,
    rows: rows.toSorted((a, b) => (a.row < b.row ? -1 : a.row > b.row ? 1 : 0)),
  };
}

export function printTable({ rows }: Report): void {
  console.table(
    rows.map(({ row, router, rounds, figures, ratios, bars }) => ({
      row,
      router,
      rounds,
      ...Object.fromEntries(
        Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(4))]),
      ),
      'ms / BIRD': ratios.ms === undefined ? '' : Number(ratios.ms.toFixed(2)),
      bars: bars.map(({ says, isMet }) => `${says}: ${isMet ? 'met' : 'MISSED'}`).join('; '),
    })),
  );
}

/** The bars that can be held against what was measured. */
function held(
  row: string,
  figures: Figures,
  of: (router: string) => Figures | undefined,
): Row['bars'] {
  return [...(BARS[row] ?? []), TASK].flatMap((bar) => {
    const measured = figures[bar.figure];
    const most = bar.most((router, figure) => of(router)?.[figure]);
    if (measured === undefined || most === undefined) return [];
    return [{ ...bar, measured: measured / most, isMet: measured <= most }];
  });
}

function ratiosOf(figures: Figures, yardstick: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) => {
      const other = yardstick[name];
      return other === undefined || other === 0 ? [] : [[name, value / other]];
    }),
  );
}

function medianFigures(rounds: readonly Figures[]): Figures {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, median(rounds.map((figures) => figures[name] ?? Number.NaN))]),
  );
}
