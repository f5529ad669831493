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
  styleTitle?: (text: string) => string,
): string {
  return new TableWriter(columns, styleTitle).lines(rows);
}

/** A table that is printed in parts, as {@link formatTable} lays it out; a column never becomes narrower. */
export class TableWriter<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #widths: number[];
  #titles: readonly string[] | undefined;

  constructor(columns: readonly Column<Row>[], styleTitle = (text: string) => text) {
    this.#columns = columns;
    this.#widths = columns.map(({ title }) => title.length);
    this.#titles = columns.map(({ title }) => styleTitle(title));
  }

  /** The lines of the next rows; before the first of all, the titles. */
  lines(rows: readonly Row[]): string {
    const cells = rows.map((row) => this.#columns.map((column) => String(column.cell(row))));
    for (const line of cells) {
      for (const [i, text] of line.entries()) {
        this.#widths[i] = Math.max(this.#widths[i] ?? 0, widthOf(text));
      }
    }
    const lines = this.#titles ? [this.#titles, ...cells] : cells;
    this.#titles = undefined;
    return lines.map((line) => `${this.#render(line)}\n`).join('');
  }

  #render(line: readonly string[]): string {
    return line
      .map((text, i) => {
        const padding = ' '.repeat((this.#widths[i] ?? 0) - widthOf(text));
        return this.#columns[i]?.align === 'right' ? padding + text : text + padding;
      })
      .join('  ')
      .trimEnd();
  }
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
