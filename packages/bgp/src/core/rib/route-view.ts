import { addressFromBytes, type IpAddress, prefixBytes } from '@overland/net';
import { asNumbers } from '../wire/as-path.ts';
import { readU32, writeU32 } from '../wire/attribute-set.ts';
import { AttributeSummary } from '../wire/attribute-summary.ts';
import type { FamilyRib } from './family-rib.ts';
import { OWN_SLOT } from './originated-routes.ts';
import type { RoutePage, RouteQuery, RouteView } from './route-engine.ts';

const ORIGINS = ['igp', 'egp', 'incomplete'] as const;
const MAX_PAGE = 1000;

type PathView = RouteView['paths'][number];

/** Pages of the Loc-RIB for people. */
export class RouteViews {
  readonly #nameOf: (slot: number) => string;

  /** @param nameOf Name of the peer in a slot. */
  constructor(nameOf: (slot: number) => string) {
    this.#nameOf = nameOf;
  }

  /**
   * The page behind `query.after`. There is no sorted index: a page looks at every prefix once, which takes a few
   * milliseconds for a full table, and is asked for rarely.
   */
  page(rib: FamilyRib, { after, limit }: RouteQuery): RoutePage {
    const count = Math.max(1, Math.min(limit, MAX_PAGE));
    const { prefixes } = rib.tables;
    const found = this.#lowest(rib, after, count + 1);
    const hasMore = found.length > count;
    const routes = found.slice(0, count).map((id) => this.#route(rib, id));
    const last = found[count - 1];
    return { routes, next: hasMore && last !== undefined ? prefixes.prefix(last) : undefined };
  }

  /** The `count` lowest prefixes behind `after`, ascending. */
  #lowest(rib: FamilyRib, after: RouteQuery['after'], count: number): number[] {
    const { paths, prefixes } = rib.tables;
    const highest = rib.tables.highestPrefix();
    const isBehind = after === undefined ? () => true : behind(rib, after);
    let found: number[] = [];
    let bound = 0;
    for (let id = 1; id <= highest; id += 1) {
      if (paths.first(id) === 0 || !isBehind(id)) continue;
      if (bound !== 0 && prefixes.compare(id, bound) > 0) continue;
      found.push(id);
      if (found.length < 2 * count) continue;
      found = found.sort((a, b) => prefixes.compare(a, b)).slice(0, count);
      bound = found[count - 1] ?? 0;
    }
    return found.sort((a, b) => prefixes.compare(a, b)).slice(0, count);
  }

  #route(rib: FamilyRib, id: number): RouteView {
    const { paths, prefixes } = rib.tables;
    const chosen = rib.locRib.chosen(id);
    const groups: number[] = [];
    for (let path = paths.first(id); path !== 0; path = paths.following(path)) {
      groups.push(paths.group(path));
    }
    return {
      prefix: prefixes.prefix(id),
      paths: rib.locRib.rank(groups).map((group) => this.#path(rib, group, chosen)),
    };
  }

  #path(rib: FamilyRib, group: number, chosen: readonly number[]): PathView {
    const { attributes, groups, nextHops } = rib.tables;
    const slot = groups.peer(group);
    const id = groups.attribute(group);
    const summary = new AttributeSummary();
    summary.read(attributes.bytes(id), attributes.offset(id), attributes.length(id));
    const nextHop: IpAddress | null = nextHops.addressOf(groups.nextHop(group));
    return {
      peer: slot === OWN_SLOT ? null : this.#nameOf(slot),
      best: chosen[0] === group,
      multipath: chosen.length > 1 && chosen.includes(group),
      stale: rib.adjRibIn(slot).isStale(group),
      usable: rib.tables.isEligible(group),
      nextHop,
      asPath: asNumbers(summary.asPath),
      origin: ORIGINS[summary.origin] ?? 'incomplete',
      med: summary.med ?? null,
      localPref: summary.localPref ?? null,
      originatorId: summary.originatorId === undefined ? null : identifier(summary.originatorId),
      clusterList: clusters(summary).map(identifier),
    };
  }
}

/** A BGP Identifier or cluster id as one writes it. */
function identifier(value: number): IpAddress {
  const octets = new Uint8Array(4);
  writeU32(octets, 0, value);
  return addressFromBytes(octets);
}

function clusters({ clusterCount, clusterList: { bytes, from } }: AttributeSummary): number[] {
  return Array.from({ length: clusterCount }, (_, i) => readU32(bytes, from + 4 * i));
}

/** Whether a prefix is behind `after`, which need not be in the table any more. */
function behind(rib: FamilyRib, after: NonNullable<RouteQuery['after']>): (id: number) => boolean {
  const { prefixes } = rib.tables;
  const { octets, length } = prefixBytes(after);
  const view = new DataView(octets.buffer);
  return (id) => {
    for (let i = 0; 4 * i < octets.length; i += 1) {
      const difference = (prefixes.word(id, i) >>> 0) - view.getUint32(4 * i);
      if (difference !== 0) return difference > 0;
    }
    return prefixes.length(id) > length;
  };
}
