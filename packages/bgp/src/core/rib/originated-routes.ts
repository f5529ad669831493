import { addressBytes, type Family, type Prefix, prefixBytes } from '@overland/net';
import type { StaticRoute } from '../config.ts';
import { applyEdits } from '../policy/apply-edits.ts';
import { editsOf } from '../policy/compose-edits.ts';
import { HEADER_OCTETS, MAX_MESSAGE_OCTETS } from '../wire/header.ts';
import { originatedSet } from '../wire/originated-set.ts';
import type { GroupOrigin } from './adj-rib-in.ts';
import { MAX_ATTRIBUTE_OCTETS } from './attribute-table.ts';
import type { FamilyRib } from './family-rib.ts';
import type { Links } from './links.ts';
import { NO_NEXT_HOP } from './next-hops.ts';
import { GroupFlag } from './path-groups.ts';
import type { RibTables } from './rib-tables.ts';
import type { SharedTables } from './shared-tables.ts';

/** The slot of the speaker itself in all tables that are indexed by peers. */
export const OWN_SLOT = 0;

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

const OWN_ORIGIN: GroupOrigin = {
  flags: GroupFlag.Originated,
  routerId: 0,
  countOwnAs: () => 0,
};

/** The same of what the kernel is to drop where it has nothing longer. */
export const DISCARD_ORIGIN: GroupOrigin = {
  ...OWN_ORIGIN,
  flags: GroupFlag.Originated | GroupFlag.Discard,
};

/** The prefixes that this speaker originates, kept as if it were a peer of its own. */
export class OriginatedRoutes {
  readonly #shared: SharedTables;
  readonly #ribs: Readonly<Record<Family, FamilyRib>>;
  /** By prefix, as they were announced. */
  readonly #statics = new Map<Prefix, string>();
  #prefixes: ReadonlySet<Prefix> = new Set();

  constructor(shared: SharedTables, ribs: Readonly<Record<Family, FamilyRib>>) {
    this.#shared = shared;
    this.#ribs = ribs;
  }

  /** Makes `prefixes` the originated ones; those that stay are not touched. */
  set(prefixes: readonly Prefix[]): void {
    const wanted = new Set(prefixes);
    for (const prefix of this.#prefixes) if (!wanted.has(prefix)) this.withdraw(prefix);
    const set = originatedSet();
    for (const prefix of wanted) if (!this.#prefixes.has(prefix)) this.announce(prefix, set);
    this.#prefixes = wanted;
  }

  /** Makes `routes` the static ones; those that stay are not touched. */
  setStatic(routes: readonly StaticRoute[], links: Links): void {
    const wanted = new Map(routes.map((route) => [route.prefix, JSON.stringify(route)]));
    for (const [prefix, text] of this.#statics) {
      if (wanted.get(prefix) === text) continue;
      this.#statics.delete(prefix);
      this.#withdrawStatic(prefix);
    }
    for (const route of routes) {
      if (this.#statics.has(route.prefix)) continue;
      this.#statics.set(route.prefix, JSON.stringify(route));
      this.#announceStatic(route, links);
    }
  }

  /** A path for each next hop, told apart by its place. */
  #announceStatic(route: StaticRoute, links: Links): void {
    const { family, octets, length } = prefixBytes(route.prefix);
    const { attributes, nlri, prefixIds } = this.#shared;
    const { tables } = this.#ribs[family];
    const adjRibIn = this.#ribs[family].adjRibIn(OWN_SLOT);
    const set = staticSet(route);
    for (const [place, { address, interface: device }] of route.nextHops.entries()) {
      const end = { localAddress: address, ...(device !== undefined && { device }) };
      const nextHop = tables.nextHops.intern(addressBytes(address), end, links);
      const attribute = attributes.intern(set, set.length);
      nlri.readOne(family, octets, length);
      tables.prefixes.internAll(nlri, prefixIds);
      const group = adjRibIn.group(attribute, nextHop, OWN_ORIGIN);
      adjRibIn.announce(prefixIds, 1, group, Int32Array.of(place));
    }
  }

  #withdrawStatic(prefix: Prefix): void {
    const { family, octets, length } = prefixBytes(prefix);
    const { nlri, prefixIds } = this.#shared;
    const { tables } = this.#ribs[family];
    nlri.readOne(family, octets, length);
    tables.prefixes.findAll(nlri, prefixIds);
    const id = prefixIds[0] ?? 0;
    const adjRibIn = this.#ribs[family].adjRibIn(OWN_SLOT);
    for (const place of id === 0 ? [] : ownPlaces(tables, id)) {
      prefixIds[0] = id;
      adjRibIn.withdraw(prefixIds, 1, Int32Array.of(place));
    }
  }

  /** Puts a prefix into the Loc-RIB. @param set Its attributes, normalised. */
  announce(prefix: Prefix, set: Uint8Array, origin: GroupOrigin = OWN_ORIGIN): void {
    const { family, octets, length } = prefixBytes(prefix);
    const { attributes, nlri, prefixIds } = this.#shared;
    const adjRibIn = this.#ribs[family].adjRibIn(OWN_SLOT);
    const attribute = attributes.intern(set, set.length);
    nlri.readOne(family, octets, length);
    this.#ribs[family].tables.prefixes.internAll(nlri, prefixIds);
    adjRibIn.announce(prefixIds, 1, adjRibIn.group(attribute, NO_NEXT_HOP, origin));
  }

  /** Originates what an UPDATE announces, with its attributes. @returns Whether it was well-formed. */
  takeUpdate(body: Uint8Array, fourOctetAs: boolean): boolean {
    const isLong = body.length + HEADER_OCTETS > MAX_MESSAGE_OCTETS;
    const { decoder, nlri, prefixIds } = isLong ? this.#shared.forExtended() : this.#shared;
    const context = { fourOctetAs, ebgp: false, families: FAMILIES, extendedNextHop: FAMILIES };
    const { announced, attributes: set, withdrawn } = decoder;
    if (decoder.decode(body, context)) return false;
    for (const { family, from, to } of withdrawn) {
      if (from === to) continue;
      nlri.read(family, body, from, to);
      this.#ribs[family].tables.prefixes.findAll(nlri, prefixIds);
      this.#ribs[family].adjRibIn(OWN_SLOT).withdraw(prefixIds, nlri.count);
    }
    if (decoder.withdrawReason !== undefined || set.length > MAX_ATTRIBUTE_OCTETS) return false;
    for (const { family, from, to } of announced) {
      if (from === to) continue;
      nlri.read(family, body, from, to);
      this.#ribs[family].tables.prefixes.internAll(nlri, prefixIds);
      const attribute = this.#shared.attributes.intern(set.octets, set.length);
      const adjRibIn = this.#ribs[family].adjRibIn(OWN_SLOT);
      const group = adjRibIn.group(attribute, NO_NEXT_HOP, OWN_ORIGIN);
      adjRibIn.announce(prefixIds, nlri.count, group);
    }
    return true;
  }

  withdraw(prefix: Prefix): void {
    const { family, octets, length } = prefixBytes(prefix);
    const { nlri, prefixIds } = this.#shared;
    nlri.readOne(family, octets, length);
    this.#ribs[family].tables.prefixes.findAll(nlri, prefixIds);
    this.#ribs[family].adjRibIn(OWN_SLOT).withdraw(prefixIds, 1);
  }
}

/** Path identifiers of a prefix of our own. */
function ownPlaces({ paths, groups }: RibTables, prefix: number): number[] {
  const places: number[] = [];
  for (let path = paths.first(prefix); path !== 0; path = paths.following(path)) {
    if (groups.peer(paths.group(path)) === OWN_SLOT) places.push(paths.identifier(path));
  }
  return places;
}

/** What is not to be advertised has the community that says so. RFC 1997. */
function staticSet({ advertise, communities = [] }: StaticRoute): Uint8Array {
  const set = originatedSet();
  const add = advertise ? communities : ['no-advertise'];
  const target = new Uint8Array(MAX_ATTRIBUTE_OCTETS);
  const edits = editsOf({ communities: { add } });
  return target.slice(0, applyEdits(set, { offset: 0, length: set.length }, edits, target));
}
