import { randomInt } from 'node:crypto';
import {
  closeDatagramSocket,
  dropEverything,
  KernelError,
  sendDatagram,
  type UdpSocketOptions,
} from '@overland/linux';
import { familyOf } from '@overland/net';
import type { BfdPeer } from './bfd-peer.ts';
import { BFD_PORT } from './receive-sockets.ts';

/** Source ports, each for one session. RFC 5881 section 4. */
const FIRST_PORT = 49_152;
const LAST_PORT = 65_535;
const ATTEMPTS = 20;
/** Trouble that a new socket would not mend. */
const PASSING = new Set(['EAGAIN', 'ENOBUFS', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH']);

/** Sends the packets of one session, always from the same port, on a socket that outlives neither link nor address. */
export class Sender {
  readonly #peer: BfdPeer;
  readonly #open: (options: UdpSocketOptions) => number;
  #fd: number | undefined;
  #port: number | undefined;

  constructor(peer: BfdPeer, open: (options: UdpSocketOptions) => number) {
    this.#peer = peer;
    this.#open = open;
  }

  /** @throws {KernelError} If it cannot be sent now; the next one may be. */
  send(bytes: Uint8Array): void {
    const { peer, multihop } = this.#peer;
    this.#fd ??= this.#socket();
    const port = multihop ? BFD_PORT.multihop : BFD_PORT.singleHop;
    try {
      sendDatagram(this.#fd, bytes, { family: familyOf(peer), address: peer, port });
    } catch (error) {
      // The interface was replaced, or the address is another's now: a socket is bound to what was.
      if (error instanceof KernelError && !PASSING.has(error.code)) this.close();
      throw error;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeDatagramSocket(this.#fd);
    this.#fd = undefined;
  }

  #socket(): number {
    for (let attempt = 1; ; attempt += 1) {
      const port = this.#port ?? randomInt(FIRST_PORT, LAST_PORT + 1);
      try {
        const fd = this.#open(this.#options(port));
        dropEverything(fd);
        this.#port = port;
        return fd;
      } catch (error) {
        const isTaken = error instanceof KernelError && error.code === 'EADDRINUSE';
        if (!isTaken || attempt === ATTEMPTS) throw error;
        this.#port = undefined;
      }
    }
  }

  #options(port: number): UdpSocketOptions {
    const { peer, localAddress, device } = this.#peer;
    return {
      family: familyOf(peer),
      port,
      ttl: 255,
      tos: 0xc0,
      ...(localAddress === undefined ? {} : { address: localAddress }),
      ...(device === undefined ? {} : { device }),
    };
  }
}
