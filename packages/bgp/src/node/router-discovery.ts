import type { DiscoverySocket, DiscoverySocketOptions } from '@overland/linux';
import type { IpAddress } from '@overland/net';
import type { Logger } from 'pino';
import type { InterfaceState } from '../core/rib/route-engine.ts';
import { DiscoveredLink } from './discovered-link.ts';

/** Opens a socket, as `openDiscoverySocket` does; another one may do so in another network namespace. */
export type OpenDiscovery = (options: DiscoverySocketOptions) => DiscoverySocket;

export interface RouterDiscoveryOptions {
  readonly open: OpenDiscovery;
  readonly random: () => number;
  readonly log: Logger;
  /** Whether there is a session with the router on an interface. */
  readonly isInUse: (device: string) => boolean;
  /** On some interface there is another router now, or none any more. */
  readonly changed: () => void;
}

/** The routers on the links of unnumbered peers. */
export class RouterDiscovery {
  readonly #options: RouterDiscoveryOptions;
  /** By name of the interface. */
  readonly #links = new Map<string, DiscoveredLink>();
  #interfaces: readonly InterfaceState[] = [];

  constructor(options: RouterDiscoveryOptions) {
    this.#options = options;
  }

  /** Looks for routers on these interfaces and no others. */
  watch(devices: readonly string[]): void {
    for (const [device, link] of this.#links) {
      if (devices.includes(device)) continue;
      link.end();
      this.#links.delete(device);
    }
    for (const device of devices) {
      if (!this.#links.has(device))
        this.#links.set(device, new DiscoveredLink(device, this.#options));
    }
    this.setInterfaces(this.#interfaces);
  }

  setInterfaces(interfaces: readonly InterfaceState[]): void {
    this.#interfaces = interfaces;
    for (const [device, link] of this.#links) {
      link.setUsable(interfaces.some(({ name, usable }) => usable && name === device));
    }
  }

  /** `undefined`: none has been heard, or it is gone. */
  routerOn(device: string): IpAddress | undefined {
    return this.#links.get(device)?.router;
  }

  /**
   * Somebody has connected to us over an interface.
   *
   * @returns Whether it is the router there: it is, if no other one has been heard.
   */
  dialled(device: string, address: IpAddress): boolean {
    return this.#links.get(device)?.dialled(address) ?? false;
  }

  /** @param farewell Whether to tell the links that we are no router any more: not when we are back soon. */
  stop(farewell: boolean): void {
    for (const link of this.#links.values()) {
      if (farewell) link.end();
      else link.close();
    }
    this.#links.clear();
  }
}
