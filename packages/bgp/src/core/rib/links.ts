import {
  contains,
  type Family,
  familyOf,
  hostPrefix,
  type IpAddress,
  isLinkLocal,
  type Prefix,
  prefixLength,
  prefixOf,
} from '@overland/net';
import type { SpeakerConfig, StaticRoute } from '../config.ts';
import type { Gateway, InterfaceState } from './route-engine.ts';

/** A subnet that is reached without a router. */
interface Subnet {
  readonly prefix: Prefix;
  readonly device: string;
}

/** Our end of a session. */
export interface SessionEnd {
  readonly localAddress: IpAddress;
  /** The interface, of a session between link-local addresses: several interfaces may have the same one. */
  readonly device?: string;
}

/** What the configuration says of places that no subnet of a link is about. */
type BeyondLinks = Pick<SpeakerConfig, 'neighbours' | 'static'>;

/** The host's interfaces, as far as BGP next hops depend on them. */
export class Links {
  /** Longest first. */
  readonly #subnets: readonly Subnet[];
  /** Own addresses and the interface of each. Link-local ones may be on several; the first counts. */
  readonly #own = new Map<IpAddress, InterfaceState>();
  readonly #byName: ReadonlyMap<string, InterfaceState>;
  /** By address and device. */
  readonly #unreachable = new Set<string>();

  readonly #statics: readonly StaticRoute[];

  constructor(interfaces: readonly InterfaceState[], beyond: BeyondLinks = {}) {
    const { neighbours = [], static: statics = [] } = beyond;
    this.#statics = statics
      .filter(({ prefix }) => prefixLength(prefix) > 0)
      .toSorted((a, b) => prefixLength(b.prefix) - prefixLength(a.prefix));
    this.#byName = new Map(interfaces.map((link) => [link.name, link]));
    const subnets: Subnet[] = [];
    for (const link of interfaces) {
      for (const address of link.unreachable ?? []) {
        this.#unreachable.add(`${address}%${link.name}`);
      }
      for (const { address, length } of link.addresses) {
        if (!this.#own.has(address)) this.#own.set(address, link);
        if (!link.usable || (isLinkLocal(address) && familyOf(address) === 'ipv6')) continue;
        subnets.push({ prefix: prefixOf(address, length), device: link.name });
      }
    }
    for (const { address, device } of neighbours) {
      // Links of workloads are many, and not always among those that are told.
      const isUsable = this.#byName.get(device)?.usable ?? true;
      if (isUsable) subnets.push({ prefix: hostPrefix(address), device });
    }
    this.#subnets = subnets.toSorted((a, b) => prefixLength(b.prefix) - prefixLength(a.prefix));
  }

  /** Whether the address is one of the host's own: no next hop, RFC 4271 section 5.1.3. */
  isOwn(address: IpAddress): boolean {
    return this.#own.has(address);
  }

  /** The smallest subnet of a usable link that an address is in. */
  subnetOf(address: IpAddress): Prefix | undefined {
    return this.#subnets.find(({ prefix }) => contains(prefix, address))?.prefix;
  }

  /**
   * How to reach a next hop: on a usable, directly connected link, or behind a static route whose next hop is on one. A default route
   * leads to everywhere, and so says nothing: it is not asked.
   */
  resolve(address: IpAddress): Gateway | undefined {
    return this.#resolveDirectly(address) ?? this.#resolveBehind(address);
  }

  #resolveBehind(address: IpAddress): Gateway | undefined {
    if (this.isOwn(address)) return undefined;
    const found = this.#statics.find(({ prefix }) => contains(prefix, address));
    for (const { address: via, interface: device } of found?.nextHops ?? []) {
      const isUsable = device !== undefined && this.#byName.get(device)?.usable === true;
      const onLink = isUsable ? { address: via, device } : this.#resolveDirectly(via);
      if (onLink && !this.isUnreachable(onLink)) return onLink;
    }
    return undefined;
  }

  #resolveDirectly(address: IpAddress): Gateway | undefined {
    if (this.isOwn(address)) return undefined;
    const subnet = this.#subnets.find(({ prefix }) => contains(prefix, address));
    return subnet && { address, device: subnet.device };
  }

  /** How to reach a link-local next hop: on the link of the session that told it. RFC 2545 section 2. */
  resolveOnLinkOf(end: SessionEnd, address: IpAddress): Gateway | undefined {
    const link = this.#linkOf(end);
    if (!link?.usable || link.addresses.some((own) => own.address === address)) return undefined;
    return { address, device: link.name };
  }

  /** Whether the kernel has found that nobody answers there. */
  isUnreachable({ address, device }: Gateway): boolean {
    return this.#unreachable.size > 0 && this.#unreachable.has(`${address}%${device}`);
  }

  /** An address of another family on the interface of a session, to offer as next hop there. */
  addressBeside(end: SessionEnd, family: Family): IpAddress | undefined {
    return this.#linkOf(end)?.addresses.find(
      ({ address }) => familyOf(address) === family && !isLinkLocal(address),
    )?.address;
  }

  #linkOf({ localAddress, device }: SessionEnd): InterfaceState | undefined {
    return device === undefined ? this.#own.get(localAddress) : this.#byName.get(device);
  }
}
