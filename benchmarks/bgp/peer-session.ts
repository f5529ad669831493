import { Socket } from 'node:net';
import { openTcpSocket, runInNamespace } from '@overland/linux';
import { addressBytes, type Family, familyOf, type IpAddress } from '@overland/net';
import { HEADER_OCTETS, MAX_MESSAGE_OCTETS, MessageType, message, open } from './wire.ts';

/** Octets of one read: four times what Node takes of itself, for fewer wake-ups. */
const READ_OCTETS = 256 * 1024;
const KEEPALIVE = message(MessageType.Keepalive, []);
const KEEPALIVE_MS = 1000;
const RETRY_MS = 200;
const IPV4_ROUTER_ID = [10, 255] as const;

export interface SessionOptions {
  /** Path of the network namespace that the peer is in. */
  readonly namespace: string;
  readonly address: IpAddress;
  readonly asn: number;
  readonly family: Family;
  readonly speaker: IpAddress;
  readonly holdSeconds: number;
  /** Each UPDATE; its body lies from `at` to `end` and is overwritten afterwards. */
  readonly update?: (octets: Uint8Array, at: number, end: number) => void;
  /** The session ended that was up and was not closed by us. @returns Whether to dial again. */
  readonly lost: (reason: string) => boolean;
}

/** One BGP session that dials, keeps itself alive, and hands on UPDATEs. */
export class PeerSession {
  /** Whether the other side has sent its first KEEPALIVE. */
  isUp = false;
  readonly #options: SessionOptions;
  readonly #buffer = new Uint8Array(READ_OCTETS + MAX_MESSAGE_OCTETS);
  #filled = 0;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #reason = 'closed by the router';

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#dial();
  }

  write(octets: Uint8Array): void {
    this.#socket?.write(octets);
  }

  /** Ends TCP without a word. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#socket?.resetAndDestroy();
  }

  #dial(): void {
    const { namespace, address, speaker, family, asn, holdSeconds } = this.#options;
    const fd = runInNamespace(namespace, () =>
      openTcpSocket({ family: familyOf(address), ttl: 1, tos: 0, address }),
    );
    const onread = {
      buffer: () => this.#buffer.subarray(this.#filled),
      callback: (octets: number) => this.#take(octets),
    };
    const socket = new Socket({ fd, readable: true, writable: true, onread });
    this.#socket = socket;
    this.#filled = 0;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#closed());
    socket.connect({ host: speaker, port: 179 }, () => {
      const routerId = [...IPV4_ROUTER_ID, ...addressBytes(address).slice(-2)];
      socket.write(open({ asn, family, holdSeconds, routerId }));
      socket.write(KEEPALIVE);
    });
  }

  #closed(): void {
    clearInterval(this.#timer);
    if (this.#isClosed) return;
    const wasUp = this.isUp;
    this.isUp = false;
    if (wasUp && !this.#options.lost(this.#reason)) return;
    setTimeout(() => this.#isClosed || this.#dial(), RETRY_MS);
  }

  #take(octets: number): boolean {
    const buffer = this.#buffer;
    const filled = this.#filled + octets;
    let at = 0;
    while (at + HEADER_OCTETS <= filled) {
      const length = ((buffer[at + 16] ?? 0) << 8) | (buffer[at + 17] ?? 0);
      if (at + length > filled) break;
      this.#message(buffer[at + 18] ?? 0, at + HEADER_OCTETS, at + length);
      at += length;
    }
    buffer.copyWithin(0, at, filled);
    this.#filled = filled - at;
    return true;
  }

  #message(type: number, at: number, end: number): void {
    if (type === MessageType.Update) this.#options.update?.(this.#buffer, at, end);
    else if (type === MessageType.Keepalive && !this.isUp) {
      this.isUp = true;
      this.#timer = setInterval(() => this.write(KEEPALIVE), KEEPALIVE_MS);
    } else if (type === MessageType.Notification) {
      this.#reason = `NOTIFICATION ${this.#buffer[at]}/${this.#buffer[at + 1]}`;
    }
  }
}
