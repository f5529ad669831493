import { compareAddresses, type IpAddress } from '@overland/net';
import type { PeerOrder } from './decision.ts';

/** The order of the peers' addresses, as small integers for the decision process. RFC 4271 section 9.1.2.2 g. */
export class PeerRanks implements PeerOrder {
  readonly #addresses: (IpAddress | undefined)[] = [];
  /** Slots by address. */
  readonly #sorted: number[] = [];
  readonly #ranks: number[] = [];

  rank(peer: number): number {
    return this.#ranks[peer] ?? 0;
  }

  /** @param peer Slot. */
  set(peer: number, address: IpAddress): void {
    const before = this.#addresses[peer];
    if (before === address) return;
    if (before !== undefined) this.#sorted.splice(this.#sorted.indexOf(peer), 1);
    this.#addresses[peer] = address;
    this.#sorted.splice(this.#place(address, peer), 0, peer);
    for (const [rank, slot] of this.#sorted.entries()) this.#ranks[slot] = rank;
  }

  /** Where an address belongs; two peers may have the same at different ports. */
  #place(address: IpAddress, peer: number): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const slot = this.#sorted[middle] ?? 0;
      const order = compareAddresses(this.#addresses[slot] ?? address, address) || slot - peer;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
