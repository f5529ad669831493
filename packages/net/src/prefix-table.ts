import { addressBytes, type IpAddress } from './address.ts';
import { BitTrie, NONE } from './bit-trie.ts';
import { ADDRESS_BITS, type Family, familyOf } from './family.ts';
import { type Prefix, prefixFromBytes } from './prefix.ts';

/** A prefix and what a {@link PrefixTable} holds for it. */
export interface PrefixEntry<V> {
  readonly prefix: Prefix;
  readonly value: V;
}

/**
 * Map from prefixes of both families to values, with longest-prefix match: the most specific entry for an address,
 * as routers choose. Text outside, numbers inside. Do not change it while iterating.
 */
export class PrefixTable<V> implements Iterable<PrefixEntry<V>> {
  readonly #tries: Readonly<Record<Family, BitTrie<V>>> = {
    ipv4: new BitTrie(ADDRESS_BITS.ipv4),
    ipv6: new BitTrie(ADDRESS_BITS.ipv6),
  };

  constructor(entries: Iterable<readonly [Prefix, V]> = []) {
    for (const [prefix, value] of entries) this.set(prefix, value);
  }

  /** Number of prefixes, both families. */
  get size(): number {
    return this.#tries.ipv4.size + this.#tries.ipv6.size;
  }

  /** Adds the prefix or replaces its value. */
  set(prefix: Prefix, value: V): void {
    const { key, length } = keyOf(prefix);
    this.#tries[familyOf(prefix)].set(key, length, value);
  }

  /** The value of exactly this prefix. */
  get(prefix: Prefix): V | undefined {
    const trie = this.#tries[familyOf(prefix)];
    const { key, length } = keyOf(prefix);
    const node = trie.find(key, length);
    return node === NONE ? undefined : trie.valueOf(node);
  }

  has(prefix: Prefix): boolean {
    const { key, length } = keyOf(prefix);
    return this.#tries[familyOf(prefix)].find(key, length) !== NONE;
  }

  /** @returns Whether the prefix was there. */
  delete(prefix: Prefix): boolean {
    const { key, length } = keyOf(prefix);
    return this.#tries[familyOf(prefix)].delete(key, length);
  }

  /** The most specific entry that contains all of `target`; a prefix contains itself. */
  longestMatch(target: IpAddress | Prefix): PrefixEntry<V> | undefined {
    const family = familyOf(target);
    const { key, length } = keyOf(target);
    const node = this.#tries[family].longestMatch(key, length);
    return node === NONE ? undefined : this.#entry(family, node);
  }

  /** All entries that contain `target`, the most general first. */
  *covering(target: IpAddress | Prefix): Generator<PrefixEntry<V>> {
    const family = familyOf(target);
    const { key, length } = keyOf(target);
    for (const node of this.#tries[family].covering(key, length)) yield this.#entry(family, node);
  }

  /** All entries inside `outer`, itself included, in the order of `comparePrefixes`. */
  *covered(outer: Prefix): Generator<PrefixEntry<V>> {
    const family = familyOf(outer);
    const { key, length } = keyOf(outer);
    for (const node of this.#tries[family].covered(key, length)) yield this.#entry(family, node);
  }

  /** Every entry, in the order of `comparePrefixes`. */
  *[Symbol.iterator](): Generator<PrefixEntry<V>> {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const everything = new Uint32Array(ADDRESS_BITS[family] / 32);
      for (const node of this.#tries[family].covered(everything, 0))
        yield this.#entry(family, node);
    }
  }

  #entry(family: Family, node: number): PrefixEntry<V> {
    const trie = this.#tries[family];
    const key = trie.keyOf(node);
    const octets = new Uint8Array(key.length * 4);
    const view = new DataView(octets.buffer);
    for (const [i, word] of key.entries()) view.setUint32(i * 4, word);
    return { prefix: prefixFromBytes(octets, trie.lengthOf(node)), value: trie.valueOf(node) };
  }
}

/** A prefix or address as words of 32 bits, and its length in bits. */
function keyOf(target: IpAddress | Prefix): { key: Uint32Array; length: number } {
  const slash = target.indexOf('/');
  const address = (slash < 0 ? target : target.slice(0, slash)) as IpAddress;
  const octets = addressBytes(address);
  const key = new Uint32Array(octets.length / 4);
  const view = new DataView(octets.buffer);
  for (let i = 0; i < key.length; i++) key[i] = view.getUint32(i * 4);
  return { key, length: slash < 0 ? octets.length * 8 : Number(target.slice(slash + 1)) };
}
