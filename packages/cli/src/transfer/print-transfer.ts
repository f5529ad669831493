import type { Writable } from 'node:stream';
import type { LeftOut, TransferReport, Verdict } from '@overland/datastore';
import type { CommandContext } from '../command.ts';
import { formatTable } from '../table.ts';

type Printing = Pick<CommandContext, 'stdout' | 'stderr' | 'colours'>;

/** What was exported, by kind. */
export function printCounts(
  { stdout, colours }: Printing,
  counts: Readonly<Record<string, number>>,
): void {
  const columns = [
    { title: 'KIND', cell: ([kind]: [string, number]) => kind },
    { title: 'KEYS', cell: ([, keys]: [string, number]) => keys, align: 'right' as const },
  ];
  stdout.write(formatTable(columns, Object.entries(counts), colours.bold));
}

/** What stayed behind, and why. */
export function printLeftOut({ stdout }: Printing, leftOut: readonly LeftOut[]): void {
  for (const { what, keys, why } of leftOut) {
    stdout.write(`Left out: ${what} (${keys === 1 ? '1 key' : `${keys} keys`}): ${why}\n`);
  }
}

/** What became of each kind. */
export function printReport(context: Printing, report: TransferReport): void {
  const { stdout, colours } = context;
  type Row = readonly [string, TransferReport['total']];
  const number = (title: string, verdict: Verdict) => {
    return { title, cell: ([, counts]: Row) => counts[verdict], align: 'right' as const };
  };
  const columns = [
    { title: 'KIND', cell: ([kind]: Row) => kind },
    number('CREATED', 'create'),
    number('CHANGED', 'change'),
    number('SAME', 'same'),
  ];
  stdout.write(formatTable(columns, Object.entries(report.counts), colours.bold));
  printLeftOut(context, report.leftOut);
  const { onlyInTarget } = report;
  if (onlyInTarget > 0) {
    const keys = onlyInTarget === 1 ? '1 key is' : `${onlyInTarget} keys are`;
    stdout.write(`${keys} in the target only, and left as they are\n`);
  }
}

/** Prints each key of a dry run as it is compared, as lines or as the items of a JSON list. */
export function actionPrinter(stdout: Writable, isJson: boolean) {
  let isFirst = true;
  return ({ key, verdict }: { readonly key: string; readonly verdict: Verdict }): void => {
    if (!isJson) stdout.write(`${verdict.padEnd(6)}  ${key}\n`);
    else stdout.write(`${isFirst ? '' : ',\n'}${JSON.stringify({ key, verdict })}`);
    isFirst = false;
  };
}
