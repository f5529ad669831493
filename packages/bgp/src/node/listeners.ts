import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { KernelError, removeMd5Key, setMd5Key, TOS_NETWORK_CONTROL } from '@overland/linux';
import { type Family, familyOf, type IpAddress, type Prefix } from '@overland/net';
import type { Logger } from 'pino';
import type { OpenSocket } from './transport.ts';

export interface ListenAddress {
  readonly address: IpAddress;
  readonly port: number;
  /** Take only what comes in here; absent: from anywhere. */
  readonly interface?: string;
}

/** Of our half of the handshake: a peer with GTSM takes nothing but 255. Accepted sockets get those of their peer. */
const HEADER_FIELDS = { ttl: 255, tos: TOS_NETWORK_CONTROL };

/** The speaker cannot listen where it was told to. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor(
    { address, port, interface: device }: ListenAddress,
    cause: Error & { readonly code?: string },
  ) {
    const on = device === undefined ? '' : ` on ${device}`;
    super(`cannot listen on ${address} port ${port}${on}: ${cause.code ?? cause.message}`, {
      cause,
    });
  }
}

interface Listener {
  readonly server: Server;
  readonly fd: number;
  readonly family: Family;
}

/** The sockets that peers dial. IPv4 and IPv6 are apart: an IPv6 socket takes no IPv4. */
export class Listeners {
  readonly #listeners = new Map<string, Listener>();
  #keys: ReadonlyMap<IpAddress | Prefix, Uint8Array> = new Map();
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
    const wanted = new Map(
      addresses.map((at) => [`${at.address} ${at.port} ${at.interface ?? ''}`, at]),
    );
    for (const [key, { server }] of this.#listeners) {
      if (wanted.has(key)) continue;
      this.#listeners.delete(key);
      server.close();
    }
    const opened = [...wanted].filter(([key]) => !this.#listeners.has(key));
    await Promise.all(opened.map(([key, at]) => this.#open(key, at)));
  }

  /** Peers and ranges with a key get in with it only, the others without any. In force at once, and for what is opened later. */
  setKeys(keys: ReadonlyMap<IpAddress | Prefix, Uint8Array>): void {
    const gone = [...this.#keys.keys()].filter((peer) => !keys.has(peer));
    this.#keys = keys;
    for (const { fd, family } of this.#listeners.values()) {
      for (const peer of gone) if (familyOf(peer) === family) removeMd5Key(fd, peer);
      for (const md5 of this.#keysOf(family)) setMd5Key(fd, md5);
    }
  }

  close(): void {
    for (const { server } of this.#listeners.values()) server.close();
    this.#listeners.clear();
  }

  #keysOf(family: Family): { readonly peer: IpAddress | Prefix; readonly key: Uint8Array }[] {
    const keys = Array.from(this.#keys, ([peer, key]) => ({ peer, key }));
    return keys.filter(({ peer }) => familyOf(peer) === family);
  }

  async #open(key: string, at: ListenAddress): Promise<void> {
    const server = createServer({ noDelay: true }, this.#accept);
    const family = familyOf(at.address);
    try {
      const md5 = this.#keysOf(family);
      const { address, port, interface: device } = at;
      const on = device === undefined ? {} : { device };
      const fd = this.#openSocket({ address, port, ...on, ...HEADER_FIELDS, family, md5 });
      this.#listeners.set(key, { server, fd, family });
      server.listen({ fd });
      await once(server, 'listening');
      // One connection that cannot be accepted, for want of descriptors say, is no reason to end the speaker.
      server.on('error', (err) => this.#log.warn({ err, ...at }, 'cannot accept a connection'));
    } catch (error) {
      this.#listeners.delete(key);
      if (error instanceof KernelError || isSystemError(error)) throw new ListenError(at, error);
      throw error;
    }
  }
}

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
