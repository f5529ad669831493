import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { KernelError, TOS_NETWORK_CONTROL } from '@overland/linux';
import { familyOf, type IpAddress } from '@overland/net';
import type { Logger } from 'pino';
import type { OpenSocket } from './transport.ts';

export interface ListenAddress {
  readonly address: IpAddress;
  readonly port: number;
}

/** Accepted sockets inherit these. Peers several hops away need a TTL above 1; none is harmed by it. */
const HEADER_FIELDS = { ttl: 64, tos: TOS_NETWORK_CONTROL };

/** The speaker cannot listen where it was told to. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor({ address, port }: ListenAddress, cause: Error & { readonly code?: string }) {
    super(`cannot listen on ${address} port ${port}: ${cause.code ?? cause.message}`, { cause });
  }
}

/** The sockets that peers dial. IPv4 and IPv6 are apart: an IPv6 socket takes no IPv4. */
export class Listeners {
  readonly #servers = new Map<string, Server>();
  readonly #openSocket: OpenSocket;
  readonly #accept: (socket: Socket) => void;
  readonly #log: Logger;

  constructor(openSocket: OpenSocket, accept: (socket: Socket) => void, log: Logger) {
    this.#openSocket = openSocket;
    this.#accept = accept;
    this.#log = log;
  }

  /**
   * Listens on these addresses and no others.
   *
   * @throws {ListenError} If one of them cannot be had; the others are open.
   */
  async set(addresses: readonly ListenAddress[]): Promise<void> {
    const wanted = new Map(addresses.map((at) => [`${at.address} ${at.port}`, at]));
    for (const [key, server] of this.#servers) {
      if (wanted.has(key)) continue;
      this.#servers.delete(key);
      server.close();
    }
    const opened = [...wanted].filter(([key]) => !this.#servers.has(key));
    await Promise.all(opened.map(([key, at]) => this.#open(key, at)));
  }

  close(): void {
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
  }

  async #open(key: string, at: ListenAddress): Promise<void> {
    const server = createServer({ noDelay: true }, this.#accept);
    this.#servers.set(key, server);
    try {
      const fd = this.#openSocket({ ...at, ...HEADER_FIELDS, family: familyOf(at.address) });
      server.listen({ fd });
      await once(server, 'listening');
      // One connection that cannot be accepted, for want of descriptors say, is no reason to end the speaker.
      server.on('error', (err) => this.#log.warn({ err, ...at }, 'cannot accept a connection'));
    } catch (error) {
      this.#servers.delete(key);
      if (error instanceof KernelError || isSystemError(error)) throw new ListenError(at, error);
      throw error;
    }
  }
}

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
