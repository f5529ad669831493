import type { Socket } from 'node:net';
import type { IpAddress } from '@overland/net';
import type { Logger } from 'pino';
import type { PeerConfig } from '../core/config.ts';
import type { PeerRunner } from './peer-runner.ts';
import { applyPeerOptions, deviceOf, localAddressOf, remoteAddressOf } from './transport.ts';

/** What of the speaker is needed to receive those who dial. */
export interface ReceptionHost {
  readonly peers: () => Iterable<PeerRunner>;
  /** A peer for an address that is none's, if there may be one. */
  readonly welcome: (address: IpAddress) => PeerRunner | undefined;
  /** A peer for a link-local address that is none's yet, on an interface. */
  readonly welcomeOn: (device: string, address: IpAddress) => PeerRunner | undefined;
  /** @throws {KeyError} If the peer has a password that cannot be had. */
  readonly keyOf: (peer: PeerConfig) => unknown;
  readonly log: Logger;
}

/** Takes accepted connections to their peers, and closes those of nobody before a word is said. */
export class Reception {
  readonly #host: ReceptionHost;
  /** Connections that were closed. */
  refused = 0;

  constructor(host: ReceptionHost) {
    this.#host = host;
  }

  accept(socket: Socket): void {
    // Before anything else: an error on a socket without a listener ends the process.
    socket.on('error', () => undefined);
    const [local, remote] = [localAddressOf(socket), remoteAddressOf(socket)];
    const peer = local && remote && this.#peerOf(remote, local, deviceOf(socket));
    if (peer && this.#admit(socket, peer.config)) {
      peer.accept(socket, local);
      return;
    }
    this.refused += 1;
    socket.destroy();
  }

  /** @returns Whether the connection has the protection that the peer is to have. */
  #admit(socket: Socket, peer: PeerConfig): boolean {
    try {
      // Whoever has a key and is here has signed with it: the kernel has seen to that. Unless it could not be had.
      this.#host.keyOf(peer);
      applyPeerOptions(socket, peer);
      return true;
    } catch (error) {
      this.#host.log.warn({ err: error, peer: peer.name }, 'connection refused');
      return false;
    }
  }

  /** @param device Of link-local addresses, which mean nothing without it. */
  #peerOf(remote: IpAddress, local: IpAddress, device: string | undefined): PeerRunner | undefined {
    const here = [...this.#host.peers()].filter(
      ({ config }) => config.address === remote && config.interface === device,
    );
    const fits = here.find(
      ({ config: { localAddress } }) => localAddress === undefined || localAddress === local,
    );
    // Who is configured is told by its configuration alone what it may do.
    if (fits || here.length > 0) return fits;
    return (device && this.#host.welcomeOn(device, remote)) || this.#host.welcome(remote);
  }
}
