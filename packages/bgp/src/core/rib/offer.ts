import type { EgressClass } from './egress-class.ts';
import type { SendRefusal } from './rib-out.ts';
import type { RibTables } from './rib-tables.ts';
import type { SharedSubnet } from './shared-subnet.ts';

/** What one peer may have of one family, and with which next hop. */
export class Offer {
  egress: EgressClass;
  /** Our own address as a next hop; without one only others' next hops can be sent. */
  ownNextHop: Uint8Array | undefined;
  /** Where the peer reaches others' next hops without us; `undefined` if there is no such subnet. */
  sharedSubnet: SharedSubnet | undefined;
  readonly #tables: RibTables;
  readonly #peer: number;

  /** @param peer Slot. */
  constructor(tables: RibTables, egress: EgressClass, peer: number) {
    this.#tables = tables;
    this.egress = egress;
    this.#peer = peer;
  }

  /** Whether the peer may have a prefix with the route of a group. */
  includes(group: number, prefix: number): boolean {
    return this.refusalOf(group, prefix) === undefined;
  }

  /** Why the peer may not have a prefix with the route of a group; `undefined`: it may. */
  refusalOf(group: number, prefix: number): SendRefusal | undefined {
    if (group === 0) return 'no-route';
    if (this.#tables.groups.peer(group) === this.#peer) return 'split-horizon';
    if (this.#tables.awaited?.has(prefix)) return 'fib-pending';
    const refusal = this.egress.refusalOf(group, prefix);
    if (refusal !== undefined) return refusal;
    return this.nextHopOf(group, prefix) === undefined ? 'no-next-hop' : undefined;
  }

  /** The next hop that goes with a prefix of a group; `undefined`: there is none for this peer. */
  nextHopOf(group: number, prefix: number): Uint8Array | undefined {
    const set = this.egress.setNextHop(group, prefix);
    if (set === 'self') return this.ownNextHop;
    if (set) return this.egress.takesNextHop(set) ? set : undefined;
    const received = this.#tables.nextHops.onwardOf(this.#tables.groups.nextHop(group));
    const onward = received && this.egress.takesNextHop(received) ? received : undefined;
    if (!this.egress.sendsOwnNextHop(group)) return onward;
    const isThirdParty =
      onward && this.egress.allowsThirdParty(group) && this.sharedSubnet?.reaches(onward);
    return isThirdParty ? onward : this.ownNextHop;
  }

  /** Whether prefixes of a group may be treated differently. */
  splits(group: number): boolean {
    return group !== 0 && (this.#tables.awaited !== undefined || this.egress.splits(group));
  }

  /** Whether a prefix looks the same to the peer with the routes of two groups, both of which it may have. */
  looksEqual(a: number, b: number, prefix: number): boolean {
    if (!this.egress.looksEqual(a, b, prefix)) return false;
    return !this.sharedSubnet || this.nextHopOf(a, prefix) === this.nextHopOf(b, prefix);
  }
}
