import { ADDRESS_BITS, type Family, type Prefix, prefixFromBytes } from '@overland/net';
import { HashIndex } from '../rib/memory/hash-index.ts';
import { Ids } from '../rib/memory/ids.ts';
import { Records } from '../rib/memory/records.ts';
import { writeU32 } from '../wire/attribute-set.ts';

/** What validation says of a route. RFC 6811 section 2. */
export type OriginState = 'valid' | 'invalid' | 'not-found';

/** A Validated ROA Payload: an AS that may originate a prefix, and parts of it up to a length. RFC 6811. */
export interface Vrp {
  readonly family: Family;
  /** Words of the address, most significant first; bits past the length are zero. */
  readonly words: Int32Array;
  readonly lengthBits: number;
  readonly maxLengthBits: number;
  readonly asn: number;
}

/** A VRP as one reads it. */
export interface VrpView {
  readonly prefix: Prefix;
  readonly maxLength: number;
  readonly asn: number;
}

/** VRPs that one page looks at, at most: about a millisecond. */
const LOOKED_AT = 50_000;

/** The origin of a path that ends with an AS_SET: none. No VRP can name it, because AS 0 originates nothing (RFC 7607). */
const NO_ORIGIN = 0;

/**
 * The VRPs of one family. Those of one prefix share a hash, so that a route asks for each length of its prefix that
 * some VRP has: some twenty look-ups. 24 octets and a slot of the index each for IPv4, 36 for IPv6.
 */
export class VrpTable {
  readonly family: Family;
  readonly #words: number;
  readonly #ids = new Ids();
  /** Words of the address; lengths (8 bits each); AS number. */
  readonly #records: Records;
  readonly #index = new HashIndex();
  /** How many there are of each length, bits. */
  readonly #ofLength = new Int32Array(129);
  readonly #asked = new Int32Array(4);

  constructor(family: Family) {
    this.family = family;
    this.#words = ADDRESS_BITS[family] / 32;
    this.#records = new Records(this.#words + 2);
  }

  get size(): number {
    return this.#ids.used;
  }

  /** @returns Whether it is new. */
  add({ words, lengthBits, maxLengthBits, asn }: Vrp): boolean {
    const lengths = packLengths(lengthBits, maxLengthBits);
    const hash = this.#hash(words, 0, lengthBits);
    if (this.#find(hash, lengths, asn) !== 0) return false;
    const id = this.#ids.take();
    const records = this.#records;
    records.ensure(id);
    for (let i = 0; i < this.#words; i += 1) records.set(id, i, words[i] ?? 0);
    records.set(id, this.#words, lengths);
    records.set(id, this.#words + 1, asn);
    this.#index.insert(id, hash, tagOf(lengthBits));
    this.#ofLength[lengthBits] = (this.#ofLength[lengthBits] ?? 0) + 1;
    return true;
  }

  /** @returns Whether it was there. */
  remove({ words, lengthBits, maxLengthBits, asn }: Vrp): boolean {
    const hash = this.#hash(words, 0, lengthBits);
    const id = this.#find(hash, packLengths(lengthBits, maxLengthBits), asn);
    if (id === 0) return false;
    this.#index.remove(id, hash, tagOf(lengthBits));
    // A record that is not used has no lengths: listings pass over it.
    this.#records.set(id, this.#words, -1);
    this.#ids.giveBack(id);
    this.#ofLength[lengthBits] = (this.#ofLength[lengthBits] ?? 0) - 1;
    return true;
  }

  /**
   * Validates the origin of a prefix. RFC 6811 section 2.1.
   *
   * @param words Words of its address from `at` on, most significant first.
   * @param origin AS number, or {@link NO_ORIGIN}.
   */
  state(words: Int32Array, at: number, lengthBits: number, origin: number): OriginState {
    let isCovered = false;
    for (let length = 0; length <= lengthBits; length += 1) {
      if (this.#ofLength[length] === 0) continue;
      const hash = this.#hash(words, at, length);
      let place = this.#index.first(hash, tagOf(length));
      while (place >= 0) {
        const id = this.#index.idAt(place);
        if (this.#isOf(id, length)) {
          isCovered = true;
          if (this.#allows(id, lengthBits, origin)) return 'valid';
        }
        place = this.#index.following(place, hash, tagOf(length));
      }
    }
    return isCovered ? 'invalid' : 'not-found';
  }

  /** The VRPs that cover a prefix, shorter ones first. */
  covering(words: Int32Array, lengthBits: number, limit: number): VrpView[] {
    const vrps: VrpView[] = [];
    for (let length = 0; length <= lengthBits; length += 1) {
      if (this.#ofLength[length] === 0) continue;
      const hash = this.#hash(words, 0, length);
      let place = this.#index.first(hash, tagOf(length));
      while (place >= 0 && vrps.length < limit) {
        const id = this.#index.idAt(place);
        if (this.#isOf(id, length)) vrps.push(this.#view(id));
        place = this.#index.following(place, hash, tagOf(length));
      }
    }
    return vrps;
  }

  /**
   * VRPs in no particular order. A page may have fewer than there is room for: it ends after so many looked at, too.
   *
   * @param from Place to begin at: 1, or where the last page ended.
   * @returns `next`: where to go on; `undefined` at the end.
   */
  list(
    from: number,
    limit: number,
    isWanted: (words: Int32Array, lengthBits: number) => boolean = () => true,
  ): { readonly vrps: readonly VrpView[]; readonly next: number | undefined } {
    const vrps: VrpView[] = [];
    const words = new Int32Array(this.#words);
    for (let id = from; id <= this.#ids.highest; id += 1) {
      if (vrps.length >= limit || id - from >= LOOKED_AT) return { vrps, next: id };
      const lengths = this.#records.get(id, this.#words);
      if (lengths < 0) continue;
      for (let i = 0; i < this.#words; i += 1) words[i] = this.#records.get(id, i);
      if (isWanted(words, lengths & 0xff)) vrps.push(this.#view(id));
    }
    return { vrps, next: undefined };
  }

  forEach(visit: (vrp: Vrp) => void): void {
    const { family } = this;
    for (let id = 1; id <= this.#ids.highest; id += 1) {
      const lengths = this.#records.get(id, this.#words);
      if (lengths < 0) continue;
      const words = Int32Array.from({ length: this.#words }, (_, i) => this.#records.get(id, i));
      const asn = this.#records.get(id, this.#words + 1) >>> 0;
      visit({ family, words, lengthBits: lengths & 0xff, maxLengthBits: lengths >>> 8, asn });
    }
  }

  #view(id: number): VrpView {
    const octets = new Uint8Array(4 * this.#words);
    for (let i = 0; i < this.#words; i += 1) writeU32(octets, 4 * i, this.#records.get(id, i));
    const lengths = this.#records.get(id, this.#words);
    return {
      prefix: prefixFromBytes(octets, lengths & 0xff),
      maxLength: lengths >>> 8,
      asn: this.#records.get(id, this.#words + 1) >>> 0,
    };
  }

  #allows(id: number, lengthBits: number, origin: number): boolean {
    const maxLengthBits = this.#records.get(id, this.#words) >>> 8;
    const asn = this.#records.get(id, this.#words + 1) >>> 0;
    return lengthBits <= maxLengthBits && asn === origin && origin !== NO_ORIGIN;
  }

  /** The VRP of the prefix in {@link #asked}, whose hash is `hash`; 0 if there is none. */
  #find(hash: number, lengths: number, asn: number): number {
    const length = lengths & 0xff;
    let place = this.#index.first(hash, tagOf(length));
    while (place >= 0) {
      const id = this.#index.idAt(place);
      const isSame =
        this.#isOf(id, length) &&
        this.#records.get(id, this.#words) === lengths &&
        this.#records.get(id, this.#words + 1) >>> 0 === asn;
      if (isSame) return id;
      place = this.#index.following(place, hash, tagOf(length));
    }
    return 0;
  }

  /** Whether a VRP is about the prefix in {@link #asked}. */
  #isOf(id: number, lengthBits: number): boolean {
    if ((this.#records.get(id, this.#words) & 0xff) !== lengthBits) return false;
    for (let i = 0; i < this.#words; i += 1) {
      if (this.#records.get(id, i) !== this.#asked[i]) return false;
    }
    return true;
  }

  /** Puts the first `lengthBits` bits of an address into {@link #asked}, and hashes them. */
  #hash(words: Int32Array, at: number, lengthBits: number): number {
    let hash = lengthBits;
    for (let i = 0; i < this.#words; i += 1) {
      const bits = Math.max(0, Math.min(32, lengthBits - 32 * i));
      const word = bits === 0 ? 0 : (words[at + i] ?? 0) & (-1 << (32 - bits));
      this.#asked[i] = word;
      hash = Math.imul(hash ^ word, 0x9e37_79b1);
      hash ^= hash >>> 15;
    }
    return Math.imul(hash, 0x85eb_ca6b) | 0;
  }
}

/** The VRPs of both families. */
export type VrpTables = Readonly<Record<Family, VrpTable>>;

export function emptyVrpTables(): VrpTables {
  return { ipv4: new VrpTable('ipv4'), ipv6: new VrpTable('ipv6') };
}

function packLengths(lengthBits: number, maxLengthBits: number): number {
  return lengthBits | (maxLengthBits << 8);
}

/** What the index keeps beside the hash. */
function tagOf(lengthBits: number): number {
  return lengthBits & 0x3f;
}
