import { type Family, familyOf, type Prefix, prefixBytes } from '@overland/net';
import type { RpkiConfig } from '../../core/config.ts';
import {
  emptyVrpTables,
  type OriginState,
  type VrpTables,
  type VrpView,
} from '../../core/rpki/vrp-table.ts';
import { RpkiCaches, type RpkiHost, type RpkiStatus } from './rpki-caches.ts';

const NOTHING: RpkiStatus = {
  caches: [],
  vrps: { ipv4: 0, ipv6: 0 },
  ageSeconds: null,
  expiresInSeconds: null,
};

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** A page of VRPs. */
export interface VrpPage {
  readonly vrps: readonly VrpView[];
  /** Where the next page begins; `null`: this is the last one. */
  readonly next: string | null;
}

/** Which VRPs: all, or those that cover a prefix or lie in it. */
export interface VrpQuery {
  readonly prefix?: Prefix;
  readonly after?: string;
  readonly limit: number;
}

/** What validation says of a prefix and an origin, and by which VRPs. */
export interface OriginAnswer {
  readonly state: OriginState;
  readonly covering: readonly VrpView[];
}

/** Most VRPs that an answer names. */
const MAX_COVERING = 100;

/** The VRPs of a speaker, whatever its configuration says of caches. */
export class RpkiSource implements Disposable {
  readonly #host: RpkiHost;
  #config: RpkiConfig | undefined;
  #caches: RpkiCaches | undefined;

  constructor(host: RpkiHost) {
    this.#host = host;
  }

  /** Takes over which caches there are. If they are others, what the former ones said holds no more. */
  configure(config: RpkiConfig | undefined): void {
    if (JSON.stringify(config) === JSON.stringify(this.#config)) return;
    const hadSome = this.#caches !== undefined;
    this.#config = config;
    this.#caches?.[Symbol.dispose]();
    this.#caches = config && new RpkiCaches(config, this.#host);
    if (hadSome) this.#host.changed(emptyVrpTables(), 'all');
  }

  status(): RpkiStatus {
    return this.#caches?.status() ?? NOTHING;
  }

  list({ prefix, after = 'ipv4 1', limit }: VrpQuery): VrpPage {
    const [name, place] = after.split(' ');
    const from = Number(place);
    let at = Math.max(0, FAMILIES.indexOf(name as Family));
    const vrps: VrpView[] = [];
    for (let start = from; at < FAMILIES.length; at += 1, start = 1) {
      const family = FAMILIES[at] as Family;
      if (prefix !== undefined && familyOf(prefix) !== family) continue;
      const isWanted = prefix === undefined ? undefined : touches(prefix);
      const page = this.#tables[family].list(start, limit - vrps.length, isWanted);
      vrps.push(...page.vrps);
      if (page.next !== undefined) return { vrps, next: `${family} ${page.next}` };
    }
    return { vrps, next: null };
  }

  check(prefix: Prefix, asn: number): OriginAnswer {
    const { family, length } = prefixBytes(prefix);
    const words = wordsOf(prefix);
    const table = this.#tables[family];
    const covering = table.covering(words, length, MAX_COVERING);
    return { state: table.state(words, 0, length, asn), covering };
  }

  [Symbol.dispose](): void {
    this.#caches?.[Symbol.dispose]();
  }

  get #tables(): VrpTables {
    return this.#caches?.tables ?? emptyVrpTables();
  }
}

/** Whether a VRP covers a prefix, or lies in it. */
function touches(prefix: Prefix): (words: Int32Array, lengthBits: number) => boolean {
  const words = wordsOf(prefix);
  const { length } = prefixBytes(prefix);
  return (own, bits) => agree(own, words, Math.min(bits, length));
}

function wordsOf(prefix: Prefix): Int32Array {
  const { octets } = prefixBytes(prefix);
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  return Int32Array.from({ length: octets.length / 4 }, (_, i) => view.getInt32(4 * i));
}

/** Whether the first `bits` bits are the same. */
function agree(a: Int32Array, b: Int32Array, bits: number): boolean {
  for (let i = 0; 32 * i < bits; i += 1) {
    const left = Math.min(32, bits - 32 * i);
    if (((a[i] ?? 0) ^ (b[i] ?? 0)) >>> (32 - left) !== 0) return false;
  }
  return true;
}
