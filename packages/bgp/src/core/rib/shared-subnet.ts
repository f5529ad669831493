import { addressBytes, type IpAddress, type Prefix, prefixBytes } from '@overland/net';

/** The subnet of a link that an eBGP peer and this speaker are on. */
export class SharedSubnet {
  readonly prefix: Prefix;
  readonly #network: Uint8Array;
  readonly #length: number;
  readonly #peer: Uint8Array;

  /** @param peer Address of the peer, in the subnet. */
  constructor(prefix: Prefix, peer: IpAddress) {
    const { octets, length } = prefixBytes(prefix);
    this.prefix = prefix;
    this.#network = octets;
    this.#length = length;
    this.#peer = addressBytes(peer);
  }

  /** Whether somebody besides the two of us can be there. */
  get hasRoom(): boolean {
    return 8 * this.#network.length - this.#length > 1;
  }

  /**
   * Whether the peer reaches a next hop without us: it is in the subnet, and not the peer itself. RFC 4271 section
   * 5.1.3.
   *
   * @param octets An address, of the subnet's family or not.
   */
  reaches(octets: Uint8Array): boolean {
    if (octets.length !== this.#network.length) return false;
    return this.#contains(octets) && !this.#isPeer(octets);
  }

  // Without a closure: it is asked for every change of a best path, for every peer.
  #isPeer(octets: Uint8Array): boolean {
    for (let i = 0; i < octets.length; i += 1) if (octets[i] !== this.#peer[i]) return false;
    return true;
  }

  #contains(octets: Uint8Array): boolean {
    const whole = this.#length >> 3;
    for (let i = 0; i < whole; i += 1) if (octets[i] !== this.#network[i]) return false;
    const mask = (0xff00 >> (this.#length & 7)) & 0xff;
    return (((octets[whole] ?? 0) ^ (this.#network[whole] ?? 0)) & mask) === 0;
  }
}
