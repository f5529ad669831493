import type { RouteView } from '@overland/bgp';

type PathView = RouteView['paths'][number];

/** One path of a prefix: a line of `bgp routes`. */
export interface RouteRow {
  readonly prefix: string;
  readonly path: PathView;
  /** The first of its prefix. */
  readonly isFirst: boolean;
}

export function routeRows(routes: readonly RouteView[]): RouteRow[] {
  return routes.flatMap(({ prefix, paths }) =>
    paths.map((path, index) => ({ prefix, path, isFirst: index === 0 })),
  );
}

/** FRR's flags, a column each: S stale or R refused, `*` valid, `>` best or `=` multipath, `i` internal. */
export function flagsOf({ path }: RouteRow): string {
  const { refused, stale, usable, best, multipath, internal } = path;
  const state = refused !== null ? 'R' : stale ? 'S' : ' ';
  const choice = best ? '>' : multipath ? '=' : ' ';
  return `${state}${usable ? '*' : ' '}${choice}${internal ? 'i' : ' '}`;
}

/** The peer, and behind `#` the path identifier if there is one (RFC 7911). */
export function fromText({ path }: RouteRow): string {
  const from = path.peer ?? 'self';
  return path.pathId === null ? from : `${from} #${path.pathId}`;
}

const ORIGIN_CODES = { igp: 'i', egp: 'e', incomplete: '?' } as const;

const VERDICTS = { valid: 'V', invalid: 'I', 'not-found': 'N' } as const;

/** FRR's letter for what the origin is (RFC 6811); empty: nothing is known of origins. */
export function originStateText({ path }: RouteRow): string {
  return path.rpki ? VERDICTS[path.rpki] : '';
}

/** AS_PATH and the letter of ORIGIN behind it. */
export function pathText({ path }: RouteRow): string {
  return [...path.asPath, ORIGIN_CODES[path.origin]].join(' ');
}
