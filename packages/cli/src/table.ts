import { stripVTControlCharacters } from 'node:util';

/** One column of a listing. */
export interface Column<Row> {
  readonly title: string;
  /** The cell's text; it may hold colour codes. */
  cell(row: Row): string | number;
  /** Default: left. */
  readonly align?: 'left' | 'right';
}

/**
 * Lays rows out in aligned columns, two spaces apart, under a line of titles. Colour codes take no width.
 *
 * @returns lines, each ended by a line feed; no trailing spaces.
 */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  styleTitle: (text: string) => string = (text) => text,
): string {
  const cells = rows.map((row) => columns.map((column) => String(column.cell(row))));
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...cells.map((line) => widthOf(line[i] ?? ''))),
  );
  const render = (line: readonly string[]): string =>
    line
      .map((text, i) => {
        const padding = ' '.repeat((widths[i] ?? 0) - widthOf(text));
        return columns[i]?.align === 'right' ? padding + text : text + padding;
      })
      .join('  ')
      .trimEnd();
  const titles = columns.map(({ title }) => styleTitle(title));
  return [titles, ...cells].map((line) => `${render(line)}\n`).join('');
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
