import type { Prefix } from '@overland/net';
import type { AdjRibIn } from './adj-rib-in.ts';
import { PrefixCover } from './prefix-cover.ts';
import type { RibOut } from './rib-out.ts';
import type { RibTables } from './rib-tables.ts';

/** Changes that are told apart; with more, every prefix is looked at. */
const MAX_CHANGES = 10_000;

/** Who may think otherwise of a prefix when VRPs have changed. */
export interface Validators {
  readonly tables: RibTables;
  /** @param peer Slot. */
  adjRibIn(peer: number): AdjRibIn;
  adjRibIns(): readonly (AdjRibIn | undefined)[];
  outs(): readonly RibOut[];
}

/**
 * Looks at prefixes anew whose origins other VRPs are about, in slices: one pass over all prefixes, which looks no
 * further at those that no changed VRP covers. RFC 6811 section 4.
 */
export class Revalidation {
  readonly #validators: Validators;
  readonly #words = new Int32Array(4);
  #pending: Set<Prefix> | 'all' = new Set();
  /** Of the pass; `undefined`: everything. */
  #cover: PrefixCover | undefined;
  #at = 1;
  #end = 0;

  constructor(validators: Validators) {
    this.#validators = validators;
  }

  get isIdle(): boolean {
    return this.#at > this.#end && this.#pending !== 'all' && this.#pending.size === 0;
  }

  /** @param changed Prefixes of the VRPs that came or went; of this family. */
  request(changed: readonly Prefix[] | 'all'): void {
    if (!this.#isAsked) return;
    if (changed === 'all' || this.#pending === 'all') {
      this.#pending = 'all';
      return;
    }
    for (const prefix of changed) this.#pending.add(prefix);
    if (this.#pending.size > MAX_CHANGES) this.#pending = 'all';
  }

  /** @returns Units used. */
  step(units: number): number {
    if (this.isIdle) return 0;
    if (this.#at > this.#end) this.#begin();
    let used = 0;
    for (; used < units && this.#at <= this.#end; this.#at += 1) {
      used += 1;
      if (this.#isCovered(this.#at)) used += this.#revalidate(this.#at);
    }
    return used;
  }

  /** Whether any policy asks for origins. */
  get #isAsked(): boolean {
    const { adjRibIns, outs } = this.#validators;
    return (
      adjRibIns().some((rib) => rib?.policy?.needsOrigin) ||
      outs().some(({ offer }) => offer.egress.policy?.needsOrigin)
    );
  }

  #begin(): void {
    const { tables } = this.#validators;
    const pending = this.#pending;
    this.#cover = pending === 'all' ? undefined : new PrefixCover(tables.family, [...pending]);
    this.#pending = new Set();
    this.#at = 1;
    this.#end = tables.highestPrefix();
  }

  #isCovered(prefix: number): boolean {
    const { paths, prefixes } = this.#validators.tables;
    if (paths.first(prefix) === 0) return false;
    if (!this.#cover) return true;
    prefixes.readWords(prefix, this.#words, 0);
    return this.#cover.find(this.#words, 0, prefixes.length(prefix)) >= 0;
  }

  /** @returns Units used. */
  #revalidate(prefix: number): number {
    const { tables, adjRibIn, outs } = this.#validators;
    const { groups, paths } = tables;
    let used = 0;
    for (let path = paths.first(prefix); path !== 0; path = paths.following(path)) {
      used += 1;
      const from = adjRibIn(groups.peer(paths.group(path)));
      if (from.policy?.needsOrigin) from.revalidate(path);
    }
    for (const out of outs()) {
      if (out.offer.egress.policy?.needsOrigin) out.reconsiderPrefix(prefix);
    }
    return used;
  }
}
