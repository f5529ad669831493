import type { Family } from '@overland/net';
import type { OriginValidation } from '../rpki/origin-validation.ts';
import { readNextHop } from '../wire/next-hop-field.ts';
import { viewAttributes } from './attribute-view.ts';
import type { FamilyRib } from './family-rib.ts';
import { OWN_SLOT } from './originated-routes.ts';
import { DEFAULT_LOCAL_PREF, GroupFlag } from './path-groups.ts';
import { refusalText } from './refusal.ts';
import type { RibOut, SentRoute } from './rib-out.ts';
import type { PeerId, RoutePage, RouteQuery, RouteSearch, RouteView } from './route-engine.ts';
import { lookUp, PrefixScan } from './route-search.ts';
import { RouteWindow } from './route-window.ts';

const MAX_PAGE = 1000;

type PathView = RouteView['paths'][number];
type PathState = Pick<
  PathView,
  'peer' | 'pathId' | 'best' | 'multipath' | 'internal' | 'stale' | 'usable' | 'refused' | 'rpki'
>;

/** The default route that a peer is offered by itself: no path of the Loc-RIB. */
const OWN_DEFAULT: PathState = {
  peer: null,
  pathId: null,
  best: true,
  multipath: false,
  internal: false,
  stale: false,
  usable: true,
  refused: null,
  rpki: null,
};

/** Listings that may be gone on with: what the last page has not used is kept for the next. */
const MAX_LISTINGS = 4;

/** Whose routes are looked at. Peers are slots. */
export interface ViewContext {
  readonly origins: OriginValidation;
  readonly nameOf: (slot: number) => string;
  readonly slotOf: (peer: PeerId) => number;
  /** What a peer has from us; `undefined` without a session, or without the family. */
  readonly outOf: (peer: PeerId, family: Family) => RibOut | undefined;
}

/** Pages of the RIBs for people. */
export class RouteViews {
  readonly #context: ViewContext;
  /** By what was asked for, with where the next page begins. */
  readonly #windows = new Map<string, RouteWindow>();

  constructor(context: ViewContext) {
    this.#context = context;
  }

  /** Begins to look for a page. */
  search(rib: FamilyRib, query: RouteQuery): RouteSearch {
    const limit = Math.max(1, Math.min(query.limit, MAX_PAGE));
    const { prefix, after } = query;
    const isWanted = this.#isWanted(rib, query);
    const terms = { rib, isWanted, prefix, after };
    if (prefix && prefix.match !== 'longer') {
      return {
        step: () => false,
        result: () => this.#lookUp(rib, query, lookUp(terms, prefix)),
      };
    }
    const kept = this.#takeWindow(query, limit);
    const window = kept ?? new RouteWindow(rib.tables.prefixes);
    const scan = kept ? undefined : new PrefixScan(terms, window);
    return {
      step: (units) => scan?.step(units) ?? false,
      result: () => {
        const routes = window.take(limit, isWanted).map((id) => this.#route(rib, query, id));
        const next = window.isExhausted ? undefined : window.last;
        if (next !== undefined) this.#keepWindow({ ...query, after: next }, window);
        return { routes, next };
      },
    };
  }

  #lookUp(rib: FamilyRib, query: RouteQuery, id: number): RoutePage {
    return { routes: id === 0 ? [] : [this.#route(rib, query, id)], next: undefined };
  }

  #takeWindow(query: RouteQuery, limit: number): RouteWindow | undefined {
    const key = listingKey(query);
    const window = this.#windows.get(key);
    this.#windows.delete(key);
    return window?.holds(limit) ? window : undefined;
  }

  #keepWindow(query: RouteQuery, window: RouteWindow): void {
    this.#windows.set(listingKey(query), window);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > MAX_LISTINGS && oldest !== undefined) this.#windows.delete(oldest);
  }

  #isWanted(rib: FamilyRib, query: RouteQuery): (id: number) => boolean {
    const { paths } = rib.tables;
    if (query.advertisedTo !== undefined) {
      const out = this.#context.outOf(query.advertisedTo, rib.family);
      return (id) => out?.isAdvertised(id) ?? false;
    }
    const shows = this.#shows(rib, query);
    return (id) => {
      for (let path = paths.first(id); path !== 0; path = paths.following(path)) {
        if (shows(paths.group(path))) return true;
      }
      return false;
    };
  }

  /** Whether paths of a group belong to the answer. */
  #shows(rib: FamilyRib, { from, paths = 'all' }: RouteQuery): (group: number) => boolean {
    const { groups, keepFrom } = rib.tables;
    const slot = from === undefined ? undefined : this.#context.slotOf(from);
    return (group) =>
      (slot === undefined || groups.peer(group) === slot) &&
      (paths === 'all' || groups.has(group, GroupFlag.Refused) === (paths === 'refused')) &&
      groups.generation(group) >= keepFrom.get(groups.peer(group));
  }

  #route(rib: FamilyRib, query: RouteQuery, id: number): RouteView {
    const { paths, prefixes } = rib.tables;
    const chosen = rib.locRib.chosen(id);
    const prefix = prefixes.prefix(id);
    if (query.advertisedTo !== undefined) {
      const sent = this.#context.outOf(query.advertisedTo, rib.family)?.sentOf(id) ?? [];
      return { prefix, paths: Array.from(sent, (one) => this.#sentPath(rib, id, one, chosen)) };
    }
    const shown: number[] = [];
    const shows = this.#shows(rib, query);
    for (let path = paths.first(id); path !== 0; path = paths.following(path)) {
      if (shows(paths.group(path))) shown.push(path);
    }
    const groups = new Set(shown.map((path) => paths.group(path)));
    const views = rib.locRib.rank([...groups]).flatMap((group) => {
      const view = this.path(rib, id, group, chosen);
      const identifiers = shown
        .filter((path) => paths.group(path) === group)
        .map((path) => paths.identifier(path) >>> 0);
      return identified(view, identifiers, rib.adjRibIn(rib.tables.groups.peer(group)));
    });
    return { prefix, paths: views };
  }

  /** A path as a peer gets it. */
  #sentPath(rib: FamilyRib, id: number, sent: SentRoute, chosen: readonly number[]): PathView {
    const { group, pathId, attributes, nextHop } = sent;
    return {
      ...(group === 0 ? OWN_DEFAULT : this.#state(rib, id, group, chosen)),
      pathId,
      ...viewAttributes(attributes.octets, 0, attributes.length),
      nextHop: nextHop ? readNextHop(nextHop).address : null,
    };
  }

  /** @param chosen Of the prefix: the best group and those that share the load with it. */
  path(rib: FamilyRib, prefix: number, group: number, chosen: readonly number[]): PathView {
    const { attributes, groups, nextHops } = rib.tables;
    const id = groups.attribute(group);
    const attribute = viewAttributes(
      attributes.bytes(id),
      attributes.offset(id),
      attributes.length(id),
    );
    // GRACEFUL_SHUTDOWN counts as a LOCAL_PREF of 0, which is in no attribute.
    const counted = groups.localPref(group);
    const isDefault = attribute.localPref === null && counted === DEFAULT_LOCAL_PREF;
    return {
      ...this.#state(rib, prefix, group, chosen),
      ...attribute,
      localPref: isDefault ? null : counted,
      nextHop: nextHops.addressOf(groups.nextHop(group)),
    };
  }

  #state(rib: FamilyRib, prefix: number, group: number, chosen: readonly number[]): PathState {
    const { groups } = rib.tables;
    const slot = groups.peer(group);
    return {
      peer: slot === OWN_SLOT ? null : this.#context.nameOf(slot),
      pathId: null,
      best: chosen[0] === group,
      multipath: chosen.length > 1 && chosen.includes(group),
      internal: slot !== OWN_SLOT && !groups.has(group, GroupFlag.Ebgp),
      stale: rib.adjRibIn(slot).isStale(group),
      usable: rib.tables.isEligible(group),
      refused: refusalText(rib.tables.refusalOf(group)),
      rpki: slot === OWN_SLOT ? null : this.#originState(rib, prefix, group),
    };
  }

  /** By the path as received, as import rules see it. */
  #originState({ tables, family }: FamilyRib, prefix: number, group: number): PathView['rpki'] {
    const { groups, prefixes, summary } = tables;
    tables.summarise(groups.received(group));
    const words = new Int32Array(4);
    prefixes.readWords(prefix, words, 0);
    const length = prefixes.length(prefix);
    return this.#context.origins.stateOf(family, summary.asPath, words, length);
  }
}

/** The paths of a group. Where the peer gave a route twice, the first of the two is taken. RFC 7911. */
function identified(
  view: PathView,
  identifiers: readonly number[],
  { isIdentified }: { readonly isIdentified: boolean },
): PathView[] {
  return identifiers
    .toSorted((a, b) => a - b)
    .map((pathId, i) => ({
      ...view,
      pathId: isIdentified || pathId !== 0 ? pathId : null,
      best: view.best && i === 0,
      multipath: view.multipath && i === 0,
    }));
}

/** Two queries of the same listing that go on behind the same prefix have the same key. */
function listingKey({ limit: _, ...query }: RouteQuery): string {
  return JSON.stringify(Object.entries(query).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
