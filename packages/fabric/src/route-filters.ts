import type { Community, FilterRule, RouteChanges, RouteFilter, RouteMatch } from '@overland/bgp';
import type { BgpFilter } from '@overland/model';
import type { Asn, Family } from '@overland/net';

/** Priorities travel in LOCAL_PREF as this number less the priority. Calico's encoding. */
const PRIORITY_BASE = 0x7fff_ffff;
/** Priority of a route that says nothing about it. Calico's. */
const NORMAL_PRIORITY = 1024;
/** LOCAL_PREF of such a route, here. */
const NORMAL_LOCAL_PREF = 100;

const LISTS = [
  ['importV4', 'ipv4'],
  ['importV6', 'ipv6'],
  ['exportV4', 'ipv4'],
  ['exportV6', 'ipv6'],
] as const satisfies readonly (readonly [List, Family])[];
const OPERATORS = { Equal: 'equal', NotEqual: 'notEqual', In: 'in', NotIn: 'notIn' } as const;
const PEER_TYPES = { eBGP: 'ebgp', iBGP: 'ibgp' } as const;

type List = keyof BgpFilter['spec'];
type Rule = NonNullable<BgpFilter['spec'][List]>[number];

/** The names of a session's filters by direction, for a `PeerConfig`. */
interface SessionFilters {
  readonly importFilters?: readonly string[];
  readonly exportFilters?: readonly string[];
}

/** The BGPFilters of a cluster as filters of a speaker: one for each list that has rules, `NAME/importV4`. */
export class FilterCatalog {
  readonly #filters = new Map<string, BgpFilter>();

  constructor(filters: readonly BgpFilter[]) {
    for (const filter of filters) this.#filters.set(filter.metadata.name, filter);
  }

  /** Why a session must not be made without these filters being honoured; `undefined` if they can be. */
  fault(names: readonly string[]): string | undefined {
    for (const name of names) {
      const filter = this.#filters.get(name);
      if (!filter) return `there is no BGPFilter ${name}: no session is made without`;
      const field = unsupportedField(filter);
      if (field !== undefined) return `BGPFilter ${name}: ${field}: no session is made without`;
    }
    return undefined;
  }

  /** What a session of one family names. Filters that do not exist and lists without rules are passed over. */
  namesFor(names: readonly string[], family: Family): SessionFilters {
    const version = family === 'ipv4' ? 'V4' : 'V6';
    const chosen = (list: List): string[] =>
      names.flatMap((name) =>
        this.#filters.get(name)?.spec[list]?.length ? [filterName(name, list)] : [],
      );
    const importFilters = chosen(`import${version}`);
    const exportFilters = chosen(`export${version}`);
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

function filterName(name: string, list: List): string {
  return `${name}/${list}`;
}

function routeFiltersOf({ metadata, spec }: BgpFilter): RouteFilter[] {
  return LISTS.map(([list, family]) => ({
    name: filterName(metadata.name, list),
    rules: (spec[list] ?? []).map((rule) => filterRuleOf(rule, family)),
  }));
}

function filterRuleOf(rule: Rule, family: Family): FilterRule {
  const match = matchOf(rule);
  const set = changesOf(rule.operations ?? []);
  return {
    family,
    ...(Object.keys(match).length > 0 && { match }),
    action: rule.action === 'Accept' ? 'accept' : 'reject',
    ...(Object.keys(set).length > 0 && { set }),
  };
}

function matchOf(rule: Rule): RouteMatch {
  const { cidr, matchOperator, prefixLength, asPathPrefix, communities, priority } = rule;
  return {
    ...(cidr !== undefined &&
      matchOperator !== undefined && {
        prefix: {
          prefix: cidr,
          operator: OPERATORS[matchOperator],
          ...(prefixLength?.min !== undefined && { minLength: prefixLength.min }),
          ...(prefixLength?.max !== undefined && { maxLength: prefixLength.max }),
        },
      }),
    ...(rule.source && { isLearned: true }),
    ...(rule.interface !== undefined && { interface: rule.interface }),
    ...(rule.peerType && { peerType: PEER_TYPES[rule.peerType] }),
    ...(communities && { communities: { anyOf: communities.values } }),
    ...(asPathPrefix?.length && { asPath: { beginsWith: asPathPrefix } }),
    ...(priority !== undefined && { localPrefs: localPrefsOf(priority) }),
  };
}

/** What LOCAL_PREF says of a priority. The normal one is also that of a route that does not speak of priorities. */
function localPrefsOf(priority: number): number[] {
  const encoded = PRIORITY_BASE - priority;
  return priority === NORMAL_PRIORITY ? [NORMAL_LOCAL_PREF, encoded] : [encoded];
}

/** The operations of a rule, made in order. */
function changesOf(operations: NonNullable<Rule['operations']>): RouteChanges {
  const add: Community[] = [];
  let prepend: Asn[] = [];
  let localPref: number | undefined;
  for (const { addCommunity, prependASPath, setPriority } of operations) {
    if (addCommunity) add.push(addCommunity.value);
    if (prependASPath) prepend = [...prependASPath.prefix, ...prepend];
    if (setPriority) {
      const { value } = setPriority;
      localPref = value === NORMAL_PRIORITY ? NORMAL_LOCAL_PREF : PRIORITY_BASE - value;
    }
  }
  return {
    ...(add.length > 0 && { communities: { add } }),
    ...(prepend.length > 0 && { prepend }),
    ...(localPref !== undefined && { localPref }),
  };
}

/** The first field that cannot be honoured, and why. */
function unsupportedField({ spec }: BgpFilter): string | undefined {
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
