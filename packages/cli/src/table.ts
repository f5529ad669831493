import Table from 'cli-table3';

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

const GAP = 2;
const NO_FRAME = Object.fromEntries(
  ['top', 'bottom', 'left', 'mid', 'right'].flatMap((side) =>
    ['', '-mid', '-left', '-right'].map((end) => [side + end, '']),
  ),
);

/** A table that is printed in parts, as {@link formatTable} lays it out; a column never becomes narrower. */
export class TableWriter<Row> {
  readonly #columns: readonly Column<Row>[];
  #widths: readonly number[] = [];
  #titles: readonly string[] | undefined;

  constructor(columns: readonly Column<Row>[], styleTitle = (text: string) => text) {
    this.#columns = columns;
    this.#titles = columns.map(({ title }) => styleTitle(title));
  }

  /** The lines of the next rows; before the first of all, the titles. */
  lines(rows: readonly Row[]): string {
    const cells = rows.map((row) => this.#columns.map((column) => oneLine(column.cell(row))));
    const lines = this.#titles ? [this.#titles, ...cells] : cells;
    this.#titles = undefined;
    if (lines.length === 0) return '';
    const natural = this.#layOut(lines, []);
    const widths = natural.widths.map((width, i) => Math.max(width, this.#widths[i] ?? 0));
    this.#widths = widths;
    const isWider = widths.some((width, i) => width !== natural.widths[i]);
    const { text } = isWider ? this.#layOut(lines, widths) : natural;
    return `${text.replaceAll(/ +$/gm, '')}\n`;
  }

  /** @param widths With the gap; those of the cells if there are none. */
  #layOut(lines: readonly (readonly string[])[], widths: readonly number[]) {
    const table = new Table({
      chars: { ...NO_FRAME, middle: '' },
      style: { 'padding-left': 0, 'padding-right': GAP, head: [], border: [], compact: true },
      colAligns: this.#columns.map(({ align = 'left' }) => align),
      colWidths: [...widths],
    });
    for (const line of lines) table.push([...line]);
    const text = table.toString();
    // It fills in those that it was not given.
    return { text, widths: table.options.colWidths as readonly number[] };
  }
}

/** A line break in a cell would become a row of its own. */
function oneLine(cell: string | number): string {
  return String(cell).replaceAll('\n', ' ');
}
