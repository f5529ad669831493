import { type Family, type Prefix, prefixBytes } from '@overland/net';
import { originatedSet } from '../wire/originated-set.ts';
import type { GroupOrigin } from './adj-rib-in.ts';
import type { FamilyRib } from './family-rib.ts';
import { NO_NEXT_HOP } from './next-hops.ts';
import { GroupFlag } from './path-groups.ts';
import type { SharedTables } from './shared-tables.ts';

/** The slot of the speaker itself in all tables that are indexed by peers. */
export const OWN_SLOT = 0;

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

  withdraw(prefix: Prefix): void {
    const { family, octets, length } = prefixBytes(prefix);
    const { nlri, prefixIds } = this.#shared;
    nlri.readOne(family, octets, length);
    this.#ribs[family].tables.prefixes.findAll(nlri, prefixIds);
    this.#ribs[family].adjRibIn(OWN_SLOT).withdraw(prefixIds, 1);
  }
}
