import type { RouteFilter } from '@overland/bgp';
import { type BgpFilter, kindTable, unknownFields } from '@overland/model';
import type { Family } from '@overland/net';
import { filterRuleOf, NORMAL_PRIORITY } from './filter-rules.ts';

const LISTS = [
  ['importV4', 'ipv4'],
  ['importV6', 'ipv6'],
  ['exportV4', 'ipv4'],
  ['exportV6', 'ipv6'],
] as const satisfies readonly (readonly [List, Family])[];
/** Most rules of a session, per direction, that continue with operations: what the speaker takes. */
const MAX_CHANGING_CONTINUES = 10;

type List = keyof BgpFilter['spec'];

/** The names of a session's filters by direction, for a `PeerConfig`. */
interface SessionFilters {
  readonly importFilters?: readonly string[];
  readonly exportFilters?: readonly string[];
}

/** The BGPFilters of a cluster as filters of a speaker: one for each list that has rules, `NAME/importV4`. */
export class FilterCatalog {
  readonly #filters = new Map<string, BgpFilter>();

  readonly #hasCaches: boolean;

  /** @param hasCaches Whether there is anybody to ask for origins. */
  constructor(filters: readonly BgpFilter[], hasCaches = false) {
    this.#hasCaches = hasCaches;
    for (const filter of filters) this.#filters.set(filter.metadata.name, filter);
  }

  /** Why a session must not be made without these filters being honoured; `undefined` if they can be. */
  fault(names: readonly string[]): string | undefined {
    for (const name of names) {
      const filter = this.#filters.get(name);
      if (!filter) return `there is no BGPFilter ${name}: no session is made without`;
      const field = unsupportedField(filter);
      if (field !== undefined) return `BGPFilter ${name}: ${field}: no session is made without`;
      if (!this.#hasCaches && asksForOrigins(filter)) {
        return `BGPFilter ${name}: originValidation: no BGPConfiguration names RPKI caches: no session is made without`;
      }
    }
    for (const [list] of LISTS) {
      const rules = names.flatMap((name) => this.#filters.get(name)?.spec[list] ?? []);
      const changing = rules.filter((rule) => rule.continue && rule.operations).length;
      if (changing > MAX_CHANGING_CONTINUES) {
        return `${list} of its filters: ${changing} rules continue with operations, at most ${MAX_CHANGING_CONTINUES} may: no session is made without`;
      }
    }
    return undefined;
  }

  /** What a session of some families names. Filters that do not exist and lists without rules are passed over. */
  namesFor(names: readonly string[], families: readonly Family[]): SessionFilters {
    const chosen = (direction: 'import' | 'export'): string[] =>
      names.flatMap((name) =>
        families
          .map((family) => `${direction}${family === 'ipv4' ? 'V4' : 'V6'}` as const)
          .filter((list) => this.#filters.get(name)?.spec[list]?.length)
          .map((list) => filterName(name, list)),
      );
    const importFilters = chosen('import');
    const exportFilters = chosen('export');
    return {
      ...(importFilters.length > 0 && { importFilters }),
      ...(exportFilters.length > 0 && { exportFilters }),
    };
  }

  /** The filters that sessions name, by name. */
  select(sessions: readonly SessionFilters[]): RouteFilter[] {
    const named = new Set(
      sessions.flatMap(({ importFilters = [], exportFilters = [] }) => [
        ...importFilters,
        ...exportFilters,
      ]),
    );
    return [...this.#filters.values()]
      .flatMap(routeFiltersOf)
      .filter(({ name }) => named.has(name))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function asksForOrigins({ spec }: BgpFilter): boolean {
  return LISTS.some(([list]) => spec[list]?.some(({ originValidation }) => originValidation));
}

function filterName(name: string, list: List): string {
  return `${name}/${list}`;
}

function routeFiltersOf({ metadata, spec }: BgpFilter): RouteFilter[] {
  return LISTS.map(([list, family]) => ({
    name: filterName(metadata.name, list),
    rules: (spec[list] ?? []).map((rule) => filterRuleOf(rule, family)),
  }));
}

/** The first field that cannot be honoured, and why. */
function unsupportedField({ spec }: BgpFilter): string | undefined {
  // A condition that is passed over makes a rule hold for what it is not about.
  const [unknown] = unknownFields(kindTable('BGPFilter').spec, spec);
  if (unknown) return `${unknown.path} is not known to this version`;
  for (const [list] of LISTS) {
    for (const [i, { operations = [] }] of (spec[list] ?? []).entries()) {
      // Worse than normal is a metric in the kernel only: LOCAL_PREF has no such number above the one of routes
      // that do not speak of priorities.
      const at = operations.findIndex(
        ({ setPriority }) => setPriority && setPriority.value > NORMAL_PRIORITY,
      );
      if (at >= 0) {
        return `${list}[${i}].operations[${at}].setPriority above ${NORMAL_PRIORITY} is not supported`;
      }
    }
  }
  return undefined;
}
