import { ADDRESS_BITS, type Family, familyOf, type Prefix, prefixBytes } from '@overland/net';

/**
 * Prefixes of one family in the order of their addresses, to find the one that another prefix lies in: a binary
 * search over integers. Of prefixes that lie in each other the widest counts.
 */
export class PrefixCover {
  /** The prefixes that count, in order. */
  readonly members: readonly Prefix[];
  readonly #wordsEach: number;
  readonly #words: Uint32Array;
  readonly #lengths: Uint8Array;

  /** @param prefixes Those of other families are left out. */
  constructor(family: Family, prefixes: readonly Prefix[]) {
    this.#wordsEach = ADDRESS_BITS[family] / 32;
    const ordered = prefixes
      .filter((prefix) => familyOf(prefix) === family)
      .map((prefix) => ({ prefix, ...wordsOf(prefix) }))
      .toSorted((a, b) => compareWords(a.words, b.words) || a.length - b.length);
    this.#words = new Uint32Array(ordered.length * this.#wordsEach);
    this.#lengths = new Uint8Array(ordered.length);
    const members: Prefix[] = [];
    this.members = members;
    for (const { prefix, words, length } of ordered) {
      if (this.find(new Int32Array(words), 0, length) >= 0) continue;
      this.#words.set(words, members.length * this.#wordsEach);
      this.#lengths[members.length] = length;
      members.push(prefix);
    }
  }

  /**
   * The index of the member that is, or holds, a prefix; -1 if there is none.
   *
   * @param words Words of its address from `at` on, most significant first.
   */
  find(words: Int32Array, at: number, lengthBits: number): number {
    let [low, high] = [0, this.members.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBehind(middle, words, at)) high = middle;
      else low = middle + 1;
    }
    const candidate = low - 1;
    return candidate >= 0 && this.#holds(candidate, words, at, lengthBits) ? candidate : -1;
  }

  /** Whether a member's address is higher than another one. */
  #isBehind(member: number, words: Int32Array, at: number): boolean {
    const from = member * this.#wordsEach;
    for (let i = 0; i < this.#wordsEach; i += 1) {
      const [own, other] = [this.#words[from + i] ?? 0, (words[at + i] ?? 0) >>> 0];
      if (own !== other) return own > other;
    }
    return false;
  }

  #holds(member: number, words: Int32Array, at: number, lengthBits: number): boolean {
    const length = this.#lengths[member] ?? 0;
    if (length > lengthBits) return false;
    const from = member * this.#wordsEach;
    for (let i = 0; 32 * i < length; i += 1) {
      const bits = Math.min(32, length - 32 * i);
      const difference = (this.#words[from + i] ?? 0) ^ (words[at + i] ?? 0);
      if (difference >>> (32 - bits) !== 0) return false;
    }
    return true;
  }
}

function wordsOf(prefix: Prefix): { readonly words: number[]; readonly length: number } {
  const { octets, length } = prefixBytes(prefix);
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const words = Array.from({ length: octets.length / 4 }, (_, i) => view.getUint32(4 * i));
  return { words, length };
}

function compareWords(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((word, i) => word !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
