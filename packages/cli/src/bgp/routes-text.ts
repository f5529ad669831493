import type { RouteView } from '@overland/bgp';
import type { Colours } from '../colours.ts';
import { type Column, TableWriter } from '../table.ts';
import { flagsOf, fromText, pathText, type RouteRow, routeRows } from './route-rows.ts';

const LEGEND = `Status codes: * valid, > best, = multipath, i internal, S stale, R refused
Origin codes: i - IGP, e - EGP, ? - incomplete

`;

/** Pages of routes in FRR's columns, as they come. */
export class RoutesText {
  readonly #table: TableWriter<RouteRow>;
  #prefixes = 0;
  #paths = 0;

  /** @param showsRefusals With why import rules refuse a path. */
  constructor(colours: Colours, showsRefusals: boolean) {
    this.#table = new TableWriter(columns(colours, showsRefusals), colours.dim);
  }

  page(routes: readonly RouteView[]): string {
    const rows = routeRows(routes);
    const isFirst = this.#prefixes === 0;
    this.#prefixes += routes.length;
    this.#paths += rows.length;
    if (rows.length === 0) return '';
    return `${isFirst ? LEGEND : ''}${this.#table.lines(rows)}`;
  }

  end(): string {
    if (this.#prefixes === 0) return 'no routes\n';
    return `\nDisplayed ${this.#prefixes} routes and ${this.#paths} total paths\n`;
  }
}

function columns(colours: Colours, showsRefusals: boolean): readonly Column<RouteRow>[] {
  const right = 'right' as const;
  const columns: Column<RouteRow>[] = [
    { title: '', cell: (row) => (row.path.best ? colours.green(flagsOf(row)) : flagsOf(row)) },
    { title: 'Network', cell: ({ prefix, isFirst }) => (isFirst ? prefix : '') },
    { title: 'Next Hop', cell: ({ path }) => path.nextHop ?? 'self' },
    { title: 'From', cell: fromText },
    { title: 'Metric', cell: ({ path }) => path.med ?? '', align: right },
    { title: 'LocPrf', cell: ({ path }) => path.localPref ?? '', align: right },
    { title: 'Path', cell: pathText },
  ];
  if (!showsRefusals) return columns;
  return [...columns, { title: 'Refused', cell: ({ path }) => path.refused ?? '' }];
}
