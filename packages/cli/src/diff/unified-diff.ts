import { diff } from 'node:util';

/** Lines around a change that are shown with it. */
const CONTEXT = 3;

const REMOVED = -1;
const ADDED = 1;

type Line = readonly [operation: number, text: string];

/**
 * The hunks of a unified diff, as diff(1) and patch(1) have them: lines begin with `@@`, `-`, `+` or a space.
 *
 * @param before Its lines; none if there is nothing.
 * @returns Lines without line feeds; none if nothing differs.
 */
export function unifiedDiff(before: readonly string[], after: readonly string[]): string[] {
  const lines = compare(before, after);
  const hunks: string[] = [];
  for (const [from, to] of hunkRanges(lines)) {
    const skipped = lines.slice(0, from);
    const shown = lines.slice(from, to);
    const old = range(countOf(skipped, ADDED), countOf(shown, ADDED));
    const now = range(countOf(skipped, REMOVED), countOf(shown, REMOVED));
    hunks.push(`@@ -${old} +${now} @@`);
    for (const [operation, text] of shown) {
      hunks.push(`${operation === ADDED ? '+' : operation === REMOVED ? '-' : ' '}${text}`);
    }
  }
  return hunks;
}

function compare(before: readonly string[], after: readonly string[]): Line[] {
  if (before.length === 0) return after.map((text) => [ADDED, text]);
  if (after.length === 0) return before.map((text) => [REMOVED, text]);
  // It says 1 of what only the first has.
  const lines = diff([...before], [...after]).map(([operation, text]): Line => [-operation, text]);
  return removedFirst(lines);
}

/** Within each run of changes: what goes, then what comes. */
function removedFirst(lines: readonly Line[]): Line[] {
  const sorted: Line[] = [];
  const added: Line[] = [];
  for (const line of lines) {
    if (line[0] === ADDED) {
      added.push(line);
      continue;
    }
    if (line[0] !== REMOVED) sorted.push(...added.splice(0));
    sorted.push(line);
  }
  return [...sorted, ...added];
}

/** Where changes and the lines around them begin and end; those that touch are one. */
function hunkRanges(lines: readonly Line[]): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  for (const [at, [operation]] of lines.entries()) {
    if (operation === 0) continue;
    const from = Math.max(0, at - CONTEXT);
    const to = Math.min(lines.length, at + CONTEXT + 1);
    const last = ranges.at(-1);
    if (last && from <= last[1]) last[1] = to;
    else ranges.push([from, to]);
  }
  return ranges;
}

/** Lines that are on one side: all but those that only the other one has. */
function countOf(lines: readonly Line[], other: number): number {
  return lines.filter(([operation]) => operation !== other).length;
}

/** As diff(1) writes it: of an empty range, the line before it. */
function range(skipped: number, count: number): string {
  return count === 0 ? `${skipped},0` : `${skipped + 1},${count}`;
}
