import type { IpAddress } from '@overland/net';
import type { Logger } from 'pino';
import type { SpeakerConfig } from '../core/config.ts';
import type { InterfaceState } from '../core/rib/route-engine.ts';
import { discoveredInterfaces, locatePeers } from '../core/session/unnumbered.ts';
import type { PeerRunner } from './peer-runner.ts';
import { type OpenDiscovery, RouterDiscovery } from './router-discovery.ts';

/** What of the speaker unnumbered peers need. */
export interface UnnumberedPeersHost {
  readonly open: OpenDiscovery;
  readonly random: () => number;
  readonly log: Logger;
  readonly peers: () => Iterable<PeerRunner>;
  /** One of them is elsewhere, or has been found, or is gone. */
  readonly moved: () => void;
}

/** Where the peers are that are known by an interface alone: whoever sends Router Advertisements there, as we do. */
export class UnnumberedPeers {
  readonly #host: UnnumberedPeersHost;
  readonly #discovery: RouterDiscovery;

  constructor(host: UnnumberedPeersHost) {
    this.#host = host;
    this.#discovery = new RouterDiscovery({
      ...host,
      changed: host.moved,
      isInUse: (device) => this.#on(device)?.record.session !== undefined,
    });
  }

  /** The configuration with the peers where they are; from now on these and no others are looked for. */
  locate(config: SpeakerConfig): SpeakerConfig {
    this.#discovery.watch(discoveredInterfaces(config));
    return locatePeers(config, (device) => this.#discovery.routerOn(device));
  }

  setInterfaces(interfaces: readonly InterfaceState[]): void {
    this.#discovery.setInterfaces(interfaces);
  }

  /**
   * The peer for somebody who dials over an interface; `undefined`: there is none, or it is somebody else. A peer with a password
   * is taken only when it dials again: the kernel has not asked the first connection for its signature, as it did not know
   * whose it would be.
   */
  welcome(device: string, address: IpAddress): PeerRunner | undefined {
    const peer = this.#on(device);
    if (!peer || !this.#discovery.dialled(device, address)) return undefined;
    return peer.config.password ? undefined : this.#on(device);
  }

  /** @param farewell Whether we are no router any more, rather than back soon. */
  stop(farewell: boolean): void {
    this.#discovery.stop(farewell);
  }

  #on(device: string): PeerRunner | undefined {
    return [...this.#host.peers()].find(
      ({ config }) => config.unnumbered && config.interface === device,
    );
  }
}
