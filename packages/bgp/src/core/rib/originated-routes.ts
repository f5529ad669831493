import { type Family, type Prefix, prefixBytes } from '@overland/net';
import { AttributeCode, AttributeFlag, writeAttributeHeader } from '../wire/attribute-set.ts';
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
    for (const prefix of this.#prefixes) if (!wanted.has(prefix)) this.#withdraw(prefix);
    for (const prefix of wanted) if (!this.#prefixes.has(prefix)) this.#announce(prefix);
    this.#prefixes = wanted;
  }

  #announce(prefix: Prefix): void {
    const { family, words, length } = wordsOf(prefix);
    const { tables } = this.#ribs[family];
    const adjRibIn = this.#ribs[family].adjRibIn(OWN_SLOT);
    const set = originatedSet();
    const attribute = this.#shared.attributes.intern(set, set.length);
    const group = adjRibIn.group(attribute, NO_NEXT_HOP, OWN_ORIGIN);
    adjRibIn.put(tables.prefixes.intern(words, length), group);
  }

  #withdraw(prefix: Prefix): void {
    const { family, words, length } = wordsOf(prefix);
    const id = this.#ribs[family].tables.prefixes.find(words, length);
    this.#ribs[family].adjRibIn(OWN_SLOT).withdraw(id);
  }
}

/** ORIGIN IGP and an empty AS_PATH. RFC 4271 section 5.1. */
function originatedSet(): Uint8Array {
  const set = new Uint8Array(7);
  const flags = AttributeFlag.Transitive;
  const origin = writeAttributeHeader(set, 0, { flags, code: AttributeCode.Origin, length: 1 });
  writeAttributeHeader(set, origin + 1, { flags, code: AttributeCode.AsPath, length: 0 });
  return set;
}

/** The form in which prefix tables take a prefix. */
export function wordsOf(prefix: Prefix): {
  readonly family: Family;
  readonly words: Int32Array;
  readonly length: number;
} {
  const { family, octets, length } = prefixBytes(prefix);
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const words = new Int32Array(4);
  for (let i = 0; i * 4 < octets.length; i += 1) words[i] = view.getInt32(i * 4);
  return { family, words, length };
}
