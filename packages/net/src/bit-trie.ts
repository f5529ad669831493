/** No node; also the end of the free list. */
export const NONE = 0;

const WORD_BITS = 32;
const FIRST_CAPACITY = 16;

/**
 * Path-compressed binary trie over keys of a fixed width, most significant bit first. Nodes are numbers, their
 * fields lie in typed arrays: an empty trie takes half a kilobyte, a full one 30 to 60 octets and a value per key.
 *
 * A node stands for the first `length` bits of its key. It holds a value, or else it is a fork: two children and
 * no value. A child starts with all bits of its parent; which child it is, the bit after these decides.
 */
export class BitTrie<V> {
  /** Words per key. */
  readonly #width: number;
  #keys: Uint32Array<ArrayBuffer>;
  #lengths = new Uint8Array(FIRST_CAPACITY);
  #holdsValue = new Uint8Array(FIRST_CAPACITY);
  /** Two per node: where the next bit is 0, where it is 1. In the free list the first one links. */
  #children = new Uint32Array(FIRST_CAPACITY * 2);
  readonly #values: (V | undefined)[] = [];
  #root = NONE;
  #used = 1;
  #free = NONE;
  #size = 0;

  /** @param bits Key width, a multiple of 32 and at most 224. */
  constructor(bits: number) {
    this.#width = bits / WORD_BITS;
    this.#keys = new Uint32Array(FIRST_CAPACITY * this.#width);
  }

  /** Number of values. */
  get size(): number {
    return this.#size;
  }

  /** @param key Bits past `length` are zero. */
  set(key: Uint32Array, length: number, value: V): void {
    const node = this.#make(key, length);
    if (this.#holdsValue[node] === 0) this.#size += 1;
    this.#holdsValue[node] = 1;
    this.#values[node] = value;
  }

  /** Finds the node of this key, or makes it. */
  #make(key: Uint32Array, length: number): number {
    let parent = NONE;
    let side = 0;
    let node = this.#root;
    while (node !== NONE) {
      const nodeLength = this.lengthOf(node);
      const common = this.#commonBits(node, key, Math.min(length, nodeLength));
      if (common < nodeLength) {
        const above = this.#insertAbove(node, key, common);
        this.#link(parent, side, above);
        return common === length ? above : this.#addLeaf(above, key, length);
      }
      if (nodeLength === length) return node;
      parent = node;
      side = bitAt(key, nodeLength);
      node = this.#child(node, side);
    }
    const leaf = this.#allocate(key, length);
    this.#link(parent, side, leaf);
    return leaf;
  }

  /** A node for the first `length` bits of `key`, with `node` below it. */
  #insertAbove(node: number, key: Uint32Array, length: number): number {
    const above = this.#allocate(key, length);
    this.#children[above * 2 + this.#nodeBit(node, length)] = node;
    return above;
  }

  #addLeaf(parent: number, key: Uint32Array, length: number): number {
    const leaf = this.#allocate(key, length);
    this.#link(parent, bitAt(key, this.lengthOf(parent)), leaf);
    return leaf;
  }

  /** The node that holds the value of exactly this key, or {@link NONE}. */
  find(key: Uint32Array, length: number): number {
    let node = this.#root;
    while (node !== NONE && this.lengthOf(node) < length) {
      node = this.#child(node, bitAt(key, this.lengthOf(node)));
    }
    if (node === NONE || this.#holdsValue[node] === 0 || this.lengthOf(node) !== length)
      return NONE;
    return this.#commonBits(node, key, length) === length ? node : NONE;
  }

  /** Nodes with values that `key` starts with, shortest first; the last one is the longest match. */
  *covering(key: Uint32Array, length: number): Generator<number> {
    let node = this.#root;
    while (node !== NONE) {
      const nodeLength = this.lengthOf(node);
      if (nodeLength > length || this.#commonBits(node, key, nodeLength) < nodeLength) return;
      if (this.#holdsValue[node] === 1) yield node;
      if (nodeLength === length) return;
      node = this.#child(node, bitAt(key, nodeLength));
    }
  }

  /** The last of {@link covering}, or {@link NONE}. Apart from it because a lookup must not make objects. */
  longestMatch(key: Uint32Array, length: number): number {
    let node = this.#root;
    let best = NONE;
    while (node !== NONE) {
      const nodeLength = this.lengthOf(node);
      if (nodeLength > length || this.#commonBits(node, key, nodeLength) < nodeLength) return best;
      if (this.#holdsValue[node] === 1) best = node;
      if (nodeLength === length) return best;
      node = this.#child(node, bitAt(key, nodeLength));
    }
    return best;
  }

  /** Nodes with values that start with `key`, in order of their bits, shorter first. */
  *covered(key: Uint32Array, length: number): Generator<number> {
    let node = this.#root;
    while (node !== NONE && this.lengthOf(node) < length) {
      node = this.#child(node, bitAt(key, this.lengthOf(node)));
    }
    if (node === NONE || this.#commonBits(node, key, length) < length) return;
    const waiting = [node];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (this.#holdsValue[next] === 1) yield next;
      const zero = this.#child(next, 0);
      const one = this.#child(next, 1);
      if (one !== NONE) waiting.push(one);
      if (zero !== NONE) waiting.push(zero);
    }
  }

  /** @returns Whether there was a value. */
  delete(key: Uint32Array, length: number): boolean {
    let grandparent = NONE;
    let parent = NONE;
    let node = this.#root;
    while (node !== NONE && this.lengthOf(node) < length) {
      grandparent = parent;
      parent = node;
      node = this.#child(node, bitAt(key, this.lengthOf(node)));
    }
    if (node === NONE || node !== this.find(key, length)) return false;
    this.#holdsValue[node] = 0;
    this.#values[node] = undefined;
    this.#size -= 1;
    this.#prune(node, parent);
    // Without its child, a fork that held the two apart has nothing to do.
    if (parent !== NONE && this.#holdsValue[parent] === 0) this.#prune(parent, grandparent);
    return true;
  }

  /** Takes a node without a value out of the trie, unless it is a fork. */
  #prune(node: number, parent: number): void {
    const zero = this.#child(node, 0);
    const one = this.#child(node, 1);
    if (zero !== NONE && one !== NONE) return;
    const side = parent !== NONE && this.#child(parent, 1) === node ? 1 : 0;
    this.#link(parent, side, zero === NONE ? one : zero);
    this.#children[node * 2] = this.#free;
    this.#free = node;
  }

  valueOf(node: number): V {
    return this.#values[node] as V;
  }

  /** In bits. */
  lengthOf(node: number): number {
    return this.#lengths[node] ?? 0;
  }

  /** A view; copy it to keep it. */
  keyOf(node: number): Uint32Array {
    return this.#keys.subarray(node * this.#width, (node + 1) * this.#width);
  }

  #child(node: number, side: number): number {
    return this.#children[node * 2 + side] ?? NONE;
  }

  #link(parent: number, side: number, node: number): void {
    if (parent === NONE) this.#root = node;
    else this.#children[parent * 2 + side] = node;
  }

  #nodeBit(node: number, index: number): number {
    const word = this.#keys[node * this.#width + (index >>> 5)] ?? 0;
    return (word >>> (31 - (index & 31))) & 1;
  }

  /** How many of the first `limit` bits the node and the key have in common. */
  #commonBits(node: number, key: Uint32Array, limit: number): number {
    const start = node * this.#width;
    for (let word = 0; word * WORD_BITS < limit; word++) {
      const different = (this.#keys[start + word] ?? 0) ^ (key[word] ?? 0);
      if (different !== 0) return Math.min(limit, word * WORD_BITS + Math.clz32(different));
    }
    return limit;
  }

  #allocate(key: Uint32Array, length: number): number {
    let node = this.#free;
    if (node !== NONE) this.#free = this.#child(node, 0);
    else node = this.#append();
    this.#lengths[node] = length;
    this.#children.fill(NONE, node * 2, node * 2 + 2);
    for (let word = 0; word < this.#width; word++) {
      const bits = Math.min(WORD_BITS, Math.max(0, length - word * WORD_BITS));
      // A shift by 32 would be a shift by 0.
      const mask = bits === 0 ? 0 : -1 << (WORD_BITS - bits);
      this.#keys[node * this.#width + word] = (key[word] ?? 0) & mask;
    }
    return node;
  }

  #append(): number {
    const node = this.#used++;
    if (node === this.#lengths.length) {
      const capacity = Math.ceil(node * 1.5);
      this.#keys = grown(this.#keys, capacity * this.#width);
      this.#children = grown(this.#children, capacity * 2);
      const [lengths, holdsValue] = [new Uint8Array(capacity), new Uint8Array(capacity)];
      lengths.set(this.#lengths);
      holdsValue.set(this.#holdsValue);
      this.#lengths = lengths;
      this.#holdsValue = holdsValue;
    }
    return node;
  }
}

function grown(array: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(array);
  return larger;
}

function bitAt(key: Uint32Array, index: number): number {
  return ((key[index >>> 5] ?? 0) >>> (31 - (index & 31))) & 1;
}
