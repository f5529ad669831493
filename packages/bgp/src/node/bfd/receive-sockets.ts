import { createSocket, type Socket } from 'node:dgram';
import { setTtlRules, type TtlRule, type UdpSocketOptions } from '@overland/linux';
import { type Family, familyOf, type IpAddress, parseAddress } from '@overland/net';
import type { BfdPeer } from './bfd-peer.ts';

/** RFC 5881 section 4, RFC 5883 section 5. */
export const BFD_PORT = { singleHop: 3784, multihop: 4784 } as const;
/** What libuv reads from one socket in one turn of the loop; fewer: the socket is empty. */
const READ_BUDGET = 32;
const TTL = 255;
/** Class selector 6, as for every routing protocol. */
const TOS = 0xc0;

/** Where a datagram came from. */
export interface Origin {
  readonly address: IpAddress;
  /** Of an IPv6 link-local address. */
  readonly device: string | undefined;
  readonly multihop: boolean;
}

interface Receiver {
  readonly fd: number;
  readonly socket: Socket;
  /** Datagrams since {@link ReceiveSockets.areRead} was last asked. */
  taken: number;
}

/**
 * The sockets on BFD's ports: one per address family and kind, opened when a session needs it. The kernel drops
 * what has a lower TTL than it should (RFC 5881 section 5, GTSM) before it is queued.
 */
export class ReceiveSockets {
  readonly #receivers = new Map<string, Receiver>();
  readonly #open: (options: UdpSocketOptions) => number;
  readonly #received: (bytes: Uint8Array, origin: Origin) => void;

  constructor(
    open: (options: UdpSocketOptions) => number,
    received: (bytes: Uint8Array, origin: Origin) => void,
  ) {
    this.#open = open;
    this.#received = received;
  }

  /**
   * Opens what these sessions need, closes the rest, and sets the TTLs that they ask for.
   *
   * @throws {KernelError} EADDRINUSE if another BFD process has the port.
   */
  set(peers: readonly BfdPeer[]): void {
    const needed = new Map<string, { family: Family; multihop: boolean; rules: TtlRule[] }>();
    for (const { peer, multihop, minTtl } of peers) {
      const family = familyOf(peer);
      const key = `${family} ${multihop}`;
      const entry = needed.get(key) ?? { family, multihop, rules: [] };
      if (!multihop) entry.rules = [{ minTtl: TTL }];
      else if (minTtl !== undefined) entry.rules.push({ source: peer, minTtl });
      needed.set(key, entry);
    }
    for (const [key, receiver] of this.#receivers) {
      if (needed.has(key)) continue;
      receiver.socket.close();
      this.#receivers.delete(key);
    }
    for (const [key, { family, multihop, rules }] of needed) {
      const receiver = this.#receivers.get(key) ?? this.#receiver(family, multihop);
      this.#receivers.set(key, receiver);
      setTtlRules(receiver.fd, family, rules);
    }
  }

  /** Whether the last turn of the loop has read all that had arrived. To be asked once per turn, in its check phase. */
  areRead(): boolean {
    let empty = true;
    for (const receiver of this.#receivers.values()) {
      if (receiver.taken >= READ_BUDGET) empty = false;
      receiver.taken = 0;
    }
    return empty;
  }

  close(): void {
    for (const { socket } of this.#receivers.values()) socket.close();
    this.#receivers.clear();
  }

  #receiver(family: Family, multihop: boolean): Receiver {
    const port = multihop ? BFD_PORT.multihop : BFD_PORT.singleHop;
    const fd = this.#open({ family, port, ttl: TTL, tos: TOS });
    const socket = createSocket(family === 'ipv4' ? 'udp4' : 'udp6');
    const receiver = { fd, socket, taken: 0 };
    socket.on('message', (bytes, { address }) => {
      receiver.taken += 1;
      const [text = '', device] = address.split('%');
      this.#received(bytes, { address: parseAddress(text), device, multihop });
    });
    socket.on('error', () => undefined);
    socket.bind({ fd });
    return receiver;
  }
}
