import type { RouteView } from '@overland/bgp';
import type { Colours } from '../colours.ts';
import { type Column, TableWriter } from '../table.ts';
import {
  flagsOf,
  fromText,
  originStateText,
  pathText,
  type RouteRow,
  routeRows,
} from './route-rows.ts';

const LEGEND = `Status codes: * valid, > best, = multipath, i internal, S stale, R refused
Origin codes: i - IGP, e - EGP, ? - incomplete
`;
const RPKI_LEGEND = 'RPKI validation codes: V valid, I invalid, N not found\n';

/** Pages of routes in FRR's columns, as they come. */
export class RoutesText {
  readonly #colours: Colours;
  readonly #showsRefusals: boolean;
  /** Its columns are those that the first page needs. */
  #table: TableWriter<RouteRow> | undefined;
  #prefixes = 0;
  #paths = 0;

  /** @param showsRefusals With why import rules refuse a path. */
  constructor(colours: Colours, showsRefusals: boolean) {
    this.#colours = colours;
    this.#showsRefusals = showsRefusals;
  }

  page(routes: readonly RouteView[]): string {
    const rows = routeRows(routes);
    this.#prefixes += routes.length;
    this.#paths += rows.length;
    if (rows.length === 0) return '';
    if (this.#table) return this.#table.lines(rows);
    const shows = { refusals: this.#showsRefusals, origins: rows.some(({ path }) => path.rpki) };
    this.#table = new TableWriter(columns(this.#colours, shows), this.#colours.dim);
    return `${LEGEND}${shows.origins ? RPKI_LEGEND : ''}\n${this.#table.lines(rows)}`;
  }

  end(): string {
    if (this.#prefixes === 0) return 'no routes\n';
    return `\nDisplayed ${this.#prefixes} routes and ${this.#paths} total paths\n`;
  }
}

function columns(
  colours: Colours,
  shows: { readonly refusals: boolean; readonly origins: boolean },
): readonly Column<RouteRow>[] {
  const right = 'right' as const;
  const columns: Column<RouteRow>[] = [
    { title: '', cell: (row) => (row.path.best ? colours.green(flagsOf(row)) : flagsOf(row)) },
    ...(shows.origins ? [{ title: '', cell: originStateText }] : []),
    { title: 'Network', cell: ({ prefix, isFirst }) => (isFirst ? prefix : '') },
    { title: 'Next Hop', cell: ({ path }) => path.nextHop ?? 'self' },
    { title: 'From', cell: fromText },
    { title: 'Metric', cell: ({ path }) => path.med ?? '', align: right },
    { title: 'LocPrf', cell: ({ path }) => path.localPref ?? '', align: right },
    { title: 'Path', cell: pathText },
  ];
  if (!shows.refusals) return columns;
  return [...columns, { title: 'Refused', cell: ({ path }) => path.refused ?? '' }];
}
