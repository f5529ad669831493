import { type Prefix, prefixBytes } from '@overland/net';
import { NlriList } from '../wire/nlri.ts';
import type { FamilyRib } from './family-rib.ts';
import { behind, inside } from './prefix-order.ts';
import type { PrefixSelection } from './route-engine.ts';
import type { RouteWindow } from './route-window.ts';

/** What is looked for. */
export interface SearchTerms {
  readonly rib: FamilyRib;
  /** Whether a prefix belongs to the answer, as far as its paths decide. */
  readonly isWanted: (id: number) => boolean;
  readonly prefix: PrefixSelection | undefined;
  readonly after: Prefix | undefined;
}

/** The id of the prefix itself, or with `longest` of the longest that covers it; 0 if there is none that is wanted. */
export function lookUp({ rib, isWanted }: SearchTerms, { prefix, match }: PrefixSelection): number {
  const { octets, length } = prefixBytes(prefix);
  const list = new NlriList(1);
  const ids = new Int32Array(1);
  rib.tables.highestPrefix();
  for (let bits = length; bits >= (match === 'longest' ? 0 : length); bits -= 1) {
    list.readOne(rib.family, octets, bits);
    rib.tables.prefixes.findAll(list, ids);
    const id = ids[0] ?? 0;
    if (id !== 0 && isWanted(id)) return id;
  }
  return 0;
}

/**
 * Looks at every prefix once, in slices, and offers those that are wanted to a window. There is no sorted index: it
 * would cost every route, and listings are rare.
 */
export class PrefixScan {
  readonly #window: RouteWindow;
  readonly #highest: number;
  readonly #isCandidate: (id: number) => boolean;
  #at = 1;

  constructor({ rib, isWanted, prefix, after }: SearchTerms, window: RouteWindow) {
    const { prefixes } = rib.tables;
    const isBehind = after === undefined ? () => true : behind(prefixes, after);
    const isInside = prefix === undefined ? () => true : inside(prefixes, prefix.prefix);
    // The words of prefixes lie in order; what hangs on a prefix is anywhere in memory, and looked at last.
    this.#isCandidate = (id) => isBehind(id) && window.admits(id) && isInside(id) && isWanted(id);
    this.#window = window;
    this.#highest = rib.tables.highestPrefix();
  }

  /** @param units Prefixes to look at, at most. @returns Whether some are left. */
  step(units: number): boolean {
    const end = Math.min(this.#highest, this.#at + units - 1);
    let hasSorted = false;
    for (; this.#at <= end && !hasSorted; this.#at += 1) {
      if (this.#isCandidate(this.#at)) hasSorted = this.#window.offer(this.#at);
    }
    if (this.#at <= this.#highest) return true;
    this.#window.close(this.#isCandidate);
    return false;
  }
}
