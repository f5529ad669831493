import type { Socket } from 'node:net';
import { KernelError } from '@overland/linux';
import type { PeerConfig } from '../core/config.ts';
import type { ConnectionId, PeerEvent } from '../core/session/peer-events.ts';
import { BgpError } from '../core/wire/bgp-error.ts';
import type { Frame } from '../core/wire/deframer.ts';
import { OpenExchange, type OpenPair } from './open-exchange.ts';
import { KeyError } from './session-keys.ts';
import { type OpenSocket, type StreamTap, Transport, type TransportEvents } from './transport.ts';

/** What the connections of a peer need of it. */
export interface ConnectionsHost {
  readonly openSocket: OpenSocket;
  /** @throws {KeyError} If the peer has a password that cannot be had. */
  keyOf(peer: PeerConfig): Uint8Array | undefined;
  handle(event: PeerEvent): void;
  /** A connection is gone, or came to nothing. */
  lost(connection: ConnectionId, reason: string): void;
  /** There may be work. */
  wake(): void;
}

/** The TCP connections with one peer: for a moment there may be two, one from each side. RFC 4271 section 6.8. */
export class PeerConnections {
  /** Who listens in. */
  readonly taps = new Set<StreamTap>();
  readonly #host: ConnectionsHost;
  readonly #transports = new Map<ConnectionId, Transport>();
  readonly #opens = new OpenExchange();

  constructor(host: ConnectionsHost) {
    this.#host = host;
  }

  get hasInput(): boolean {
    for (const transport of this.#transports.values()) if (transport.hasInput) return true;
    return false;
  }

  get unreadOctets(): number {
    return this.#sum((transport) => transport.unreadOctets);
  }

  get unsentOctets(): number {
    return this.#sum((transport) => transport.unsentOctets);
  }

  /** @param connection `undefined`: none. */
  get(connection: ConnectionId | undefined): Transport | undefined {
    return connection === undefined ? undefined : this.#transports.get(connection);
  }

  /** All of them, also while some come and go. */
  [Symbol.iterator](): Iterator<[ConnectionId, Transport]> {
    return this.#transports.entries();
  }

  /** The peer has dialled us. */
  adopt(connection: ConnectionId, socket: Socket): void {
    this.#transports.set(connection, Transport.adopt(socket, this.#events(connection)));
  }

  /** What cannot even be tried is lost at once. */
  dial(connection: ConnectionId, config: PeerConfig): void {
    const { address, port, localAddress, ttl, minTtl } = config;
    const device = config.interface ?? config.bindInterface;
    const events = this.#events(connection);
    try {
      const key = this.#host.keyOf(config);
      const target = { address, port, localAddress, ttl, minTtl, device, key };
      this.#transports.set(connection, Transport.dial(target, events, this.#host.openSocket));
    } catch (error) {
      if (error instanceof KeyError) events.lost(error.message);
      else if (error instanceof KernelError) {
        events.lost(`${error.code} for source ${localAddress ?? 'any'} on ${device ?? 'any'}`);
      } else throw error;
    }
  }

  /** The next message that has come in whole; what is none is told as a fault. */
  nextFrame(connection: ConnectionId, transport: Transport): Frame | undefined {
    try {
      return transport.nextFrame();
    } catch (error) {
      if (!(error instanceof BgpError)) throw error;
      this.#host.handle({ type: 'fault', connection, fault: error });
      return undefined;
    }
  }

  openSent(connection: ConnectionId, message: Uint8Array): void {
    this.#opens.sent(connection, message);
  }

  /** @param body Copied. */
  openReceived(connection: ConnectionId, body: Uint8Array): void {
    this.#opens.received(connection, body);
  }

  /** The OPENs of the connection that became the session. */
  opensOf(connection: ConnectionId): OpenPair | undefined {
    return this.#opens.pair(connection);
  }

  /** @param farewell Goes out first. */
  close(connection: ConnectionId, farewell?: Uint8Array): void {
    const transport = this.#forget(connection);
    if (farewell) transport?.closeAfter(farewell);
    else transport?.close();
  }

  #forget(connection: ConnectionId): Transport | undefined {
    this.#opens.forget(connection);
    const transport = this.#transports.get(connection);
    this.#transports.delete(connection);
    return transport;
  }

  #events(connection: ConnectionId): TransportEvents {
    return {
      taps: this.taps,
      connected: (local) => this.#host.handle({ type: 'connected', connection, local }),
      readable: () => this.#host.wake(),
      drained: () => this.#host.wake(),
      lost: (reason) => {
        this.#forget(connection);
        this.#host.lost(connection, reason);
      },
    };
  }

  #sum(octets: (transport: Transport) => number): number {
    return [...this.#transports.values()].reduce((sum, transport) => sum + octets(transport), 0);
  }
}
