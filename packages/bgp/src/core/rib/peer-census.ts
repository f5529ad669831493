import type { Prefix } from '@overland/net';
import type { FamilyRib } from './family-rib.ts';
import { GroupFlag } from './path-groups.ts';
import { refusalText } from './refusal.ts';
import type { RibOut, SendRefusal } from './rib-out.ts';
import type { Sliced } from './route-engine.ts';
import type { PeerCensus, Tally } from './route-explanation.ts';

class Tallies {
  readonly #byKey = new Map<
    string,
    { what: string; detail: string | null; count: number; id: number }
  >();

  add(what: string, detail: string | null, id: number): void {
    const key = detail === null ? what : `${what} ${detail}`;
    const found = this.#byKey.get(key);
    if (found) found.count += 1;
    else this.#byKey.set(key, { what, detail, count: 1, id });
  }

  /** The most frequent first. */
  result(prefixOf: (id: number) => Prefix): Tally[] {
    return Array.from(this.#byKey.values(), ({ id, ...rest }) => ({
      ...rest,
      example: prefixOf(id),
    })).toSorted((a, b) => b.count - a.count);
  }
}

/** Goes through all prefixes once, in slices, and counts how those of a peer fare, in either direction. */
export class CensusTaker implements Sliced<PeerCensus> {
  readonly #rib: FamilyRib;
  readonly #peer: number;
  readonly #out: RibOut | undefined;
  readonly #highest: number;
  readonly #received = new Tallies();
  readonly #sent = new Tallies();
  #at = 1;

  /** @param peer Slot. */
  constructor(rib: FamilyRib, peer: number, out: RibOut | undefined) {
    this.#rib = rib;
    this.#peer = peer;
    this.#out = out;
    this.#highest = rib.tables.highestPrefix();
  }

  /** @param units Prefixes to look at, at most. @returns Whether some are left. */
  step(units: number): boolean {
    const end = Math.min(this.#highest, this.#at + units - 1);
    for (; this.#at <= end; this.#at += 1) {
      this.#countReceived(this.#at);
      if (this.#out) this.#countSent(this.#at, this.#out);
    }
    return this.#at <= this.#highest;
  }

  /** Once, after the last step. */
  result(): PeerCensus {
    const { prefixes } = this.#rib.tables;
    const prefixOf = (id: number): Prefix => prefixes.prefix(id);
    return {
      family: this.#rib.family,
      received: this.#received.result(prefixOf),
      sent: this.#out ? this.#sent.result(prefixOf) : null,
    };
  }

  #countReceived(id: number): void {
    const { groups, paths } = this.#rib.tables;
    for (let path = paths.first(id); path !== 0; path = paths.following(path)) {
      const group = paths.group(path);
      if (groups.peer(group) === this.#peer) this.#countGroup(id, group);
    }
  }

  #countGroup(id: number, group: number): void {
    const { tables, locRib } = this.#rib;
    const { groups, keepFrom, nextHops } = tables;
    if (groups.generation(group) < keepFrom.get(this.#peer)) return;
    if (groups.has(group, GroupFlag.Refused)) {
      this.#received.add('refused', refusalText(tables.refusalOf(group)), id);
    } else if (!tables.isEligible(group)) {
      const state = nextHops.stateOf(groups.nextHop(group), tables.links);
      this.#received.add('next-hop', state, id);
    } else this.#received.add(locRib.best(id) === group ? 'best' : 'other', null, id);
  }

  #countSent(id: number, out: RibOut): void {
    const refusal = out.refusalOf(id);
    const state = out.stateOf(id);
    if (state !== 'withheld') this.#sent.add(state, null, id);
    else if (refusal !== 'no-route') this.#sent.add(state, this.#detail(id, out, refusal), id);
  }

  #detail(id: number, out: RibOut, refusal: SendRefusal | undefined): string | null {
    if (refusal !== 'filter') return refusal ?? null;
    return `filter ${out.offer.egress.policy?.verdict(this.#rib.locRib.best(id), id).rule ?? ''}`;
  }
}
