import { stringifyJson } from '@overland/model';
import type { CommandContext } from '../command.ts';
import { EXIT, exitCodeOf, exitCodeOfAll } from '../exit-codes.ts';
import { type ItemResult, NotTriedError } from './run-items.ts';

type Failure = Extract<ItemResult, { readonly outcome: 'failed' }>;

/** How a command is spoken of. */
export interface Verb {
  /** `create` */
  readonly verb: string;
  /** `created` */
  readonly done: string;
}

export interface Report extends Verb {
  readonly output: 'table' | 'json';
  readonly isDryRun: boolean;
}

/**
 * Prints what became of the items, in calicoctl's patterns where scripts look for them: what was done on standard
 * output, each failure on standard error.
 *
 * @returns The exit code.
 */
export function reportItems(
  { stdout, stderr }: Pick<CommandContext, 'stdout' | 'stderr'>,
  results: readonly ItemResult[],
  report: Report,
): number {
  if (report.output === 'json') {
    const lines = results.map((result) => stringifyJson(jsonOf(result)));
    stdout.write(`[${lines.join(',\n')}]\n`);
    return exitCodeOfAll(errorsOf(results));
  }
  for (const result of results) {
    if (result.outcome === 'failed') continue;
    if (report.isDryRun) stdout.write(`${result.item.subject} ${result.outcome} (dry run)\n`);
    for (const note of result.notes ?? []) stdout.write(`${result.item.subject}: ${note}\n`);
  }
  const { out, err } = summary(results, report);
  for (const line of out) stdout.write(`${line}\n`);
  for (const line of err) stderr.write(`overland: ${line}\n`);
  return results.length === 0 ? EXIT.success : exitCodeOfAll(errorsOf(results));
}

function summary(
  results: readonly ItemResult[],
  { verb, done, isDryRun }: Report,
): { readonly out: string[]; readonly err: string[] } {
  const kinds = new Set(results.map(({ item }) => item.kind));
  const [only] = kinds;
  const kind = kinds.size === 1 && only !== undefined ? `'${only}' ` : '';
  const failures = results.filter((result) => result.outcome === 'failed');
  const untried = failures.filter(({ error }) => error instanceof NotTriedError);
  const skipped = results.filter(({ outcome }) => outcome === 'skipped').length;
  const ended = results.length - failures.length - skipped;
  const out: string[] = [];
  const dry = isDryRun ? 'Dry run: nothing was written. ' : '';
  const tail = [`${ended} ${kind}resource(s)`, ...skippedText(skipped)].join(', ');
  if (failures.length === 0) {
    out.push(
      results.length === 0 ? 'No resources specified' : `${dry}Successfully ${done} ${tail}`,
    );
    return { out, err: [] };
  }
  const err: string[] = [];
  if (ended + skipped === 0) {
    const what = results.length === 1 ? `${kind}resource` : `any ${kind}resources`;
    err.push(`failed to ${verb} ${what}:`);
  } else {
    out.push(`${dry}Partial success: ${done} ${ended} of ${results.length} ${kind}resources`);
    err.push(`hit error on ${failures.length} of ${results.length}:`);
  }
  const tried = failures.filter(({ error }) => !(error instanceof NotTriedError));
  err.push(
    ...[...tried.flatMap(failureLines), ...untriedLines(untried)].map((line) => `  ${line}`),
  );
  return { out, err };
}

/** Those that were not tried have one reason in common: the first is named, and how many come after it. */
function untriedLines(untried: readonly Failure[]): string[] {
  const [first, ...others] = untried;
  if (!first) return [];
  const more = others.length > 0 ? [`and ${others.length} more that were not tried`] : [];
  return [...failureLines(first), ...more];
}

function skippedText(skipped: number): string[] {
  return skipped === 0 ? [] : [`${skipped} skipped`];
}

/** `pools.yaml:12: IPPool(rack1) exists already`; a line for each rule that is broken. */
export function failureLines(result: Failure): string[] {
  const { place, subject } = result.item;
  return messageOf(result.error)
    .split('\n')
    .map((line) => {
      const said = line.includes(subject) ? line : `${subject}: ${line}`;
      return place === undefined ? said : `${place}: ${said}`;
    });
}

function jsonOf(result: ItemResult): object {
  const { place, kind, name } = result.item;
  return {
    ...(place !== undefined && { place }),
    kind: kind ?? null,
    ...(name?.namespace !== undefined && { namespace: name.namespace }),
    name: name?.name ?? null,
    outcome: result.outcome,
    ...('notes' in result && result.notes && { notes: result.notes }),
    ...(result.outcome === 'failed' && {
      error: { code: exitCodeOf(result.error), message: messageOf(result.error) },
    }),
  };
}

function errorsOf(results: readonly ItemResult[]): unknown[] {
  return results.flatMap((result) => (result.outcome === 'failed' ? [result.error] : []));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
