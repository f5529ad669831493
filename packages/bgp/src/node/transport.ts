import { Socket } from 'node:net';
import {
  bindToDevice,
  setTtl,
  setUserTimeout,
  type TcpSocketOptions,
  TOS_NETWORK_CONTROL,
} from '@overland/linux';
import { familyOf, type IpAddress, parseAddress } from '@overland/net';
import type { CapturedStream } from '../core/capture/pcapng.ts';
import type { PeerConfig } from '../core/config.ts';
import { Deframer, type Frame } from '../core/wire/deframer.ts';
import { isScoped } from '../core/wire/next-hop-field.ts';

/** Octets that may wait in user space before packing stops until the socket has drained. */
const HIGH_WATER_OCTETS = 64 * 1024;
/** How long a NOTIFICATION may take to leave before the socket is closed all the same, milliseconds. */
const LINGER_MS = 1000;

/** Gets a copy-it-now view of what goes over a connection. */
export type StreamTap = (
  direction: 'sent' | 'received',
  octets: Uint8Array,
  stream: CapturedStream,
) => void;

export interface TransportEvents {
  /** Who listens in; empty: nobody, which costs nothing. */
  readonly taps: ReadonlySet<StreamTap>;
  connected(local: IpAddress): void;
  /** There are frames to take with {@link Transport.nextFrame}. */
  readable(): void;
  /** The socket takes more. */
  drained(): void;
  /** TCP is over; nothing more comes. */
  lost(reason: string): void;
}

export interface DialTarget {
  readonly address: IpAddress;
  readonly port: number;
  readonly localAddress: IpAddress | undefined;
  readonly ttl: number;
  readonly minTtl: number | undefined;
  /** Interface to stay on; needed for a link-local address. */
  readonly device: string | undefined;
  /** Of TCP-MD5; absent: unsigned. */
  readonly key: Uint8Array | undefined;
}

/** The ports of a connection. */
export interface Endpoints {
  readonly localPort: number;
  readonly remotePort: number;
}

/** Opens a TCP socket, as `openTcpSocket` does; another one may do so in another network namespace. */
export type OpenSocket = (options: TcpSocketOptions) => number;

/** As much as Node reads at once: a chunk of this size has more behind it. */
const WHOLE_READ_OCTETS = 64 * 1024;

/**
 * One TCP connection: octets in, frames out. While frames wait to be taken, one more chunk is read at most. To stop reading
 * and begin again costs system calls, and turns of the stream: a peer that says little at a time is not stopped.
 * What had come before the connection was lost is still to be taken: it may hold the NOTIFICATION that says why.
 */
export class Transport {
  readonly #socket: Socket;
  readonly #deframer = new Deframer();
  #events: TransportEvents | undefined;
  #hasInput = false;
  /** Came while frames of the chunk before it were still to be taken. Nothing is read after it. */
  #following: Uint8Array | undefined;
  #isPaused = false;
  /** When the kernel last took something of ours. */
  #progressMs = performance.now();
  #lostReason: string | undefined;

  private constructor(socket: Socket, events: TransportEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Uint8Array) => this.#take(chunk));
    socket.on('drain', () => this.#events?.drained());
    socket.on('end', () => this.#lost('closed by the peer'));
    socket.on('close', () => this.#lost('closed'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#lost(error.code ?? error.message));
  }

  /**
   * Begins to dial.
   *
   * @throws {KernelError} If the socket cannot be had, such as EADDRNOTAVAIL for a source that is not ours.
   */
  static dial(target: DialTarget, events: TransportEvents, open: OpenSocket): Transport {
    const { address, port, localAddress, ttl, minTtl, device, key } = target;
    const fd = open({
      family: familyOf(address),
      ttl,
      tos: TOS_NETWORK_CONTROL,
      ...(localAddress !== undefined && { address: localAddress }),
      ...(minTtl !== undefined && { minTtl }),
      ...(device !== undefined && { device }),
      ...(key && { md5: [{ peer: address, key }] }),
    });
    const socket = new Socket({ fd, readable: true, writable: true });
    const transport = new Transport(socket, events);
    // Without a scope libuv takes the first interface that has a link-local address.
    const host = device !== undefined && isScoped(address) ? `${address}%${device}` : address;
    socket.connect({ host, port }, () => {
      const local = localAddressOf(socket);
      if (local) transport.#events?.connected(local);
    });
    return transport;
  }

  static adopt(socket: Socket, events: TransportEvents): Transport {
    return new Transport(socket, events);
  }

  /**
   * How long the peer's TCP may acknowledge nothing, or have no room, before the connection is lost.
   *
   * @throws {KernelError} If the kernel refuses. @throws {Error} If Node does not tell the descriptor.
   */
  limitSilence(ms: number): void {
    setUserTimeout(descriptorOf(this.#socket), ms);
  }

  /** Messages of up to 65,535 octets may come from now on. RFC 8654. */
  takeExtended(): void {
    this.#deframer.extended = true;
  }

  /** Whether octets have come that are not yet taken as frames. */
  get hasInput(): boolean {
    return this.#hasInput;
  }

  /** Octets in user space that have not been taken as frames. */
  get unreadOctets(): number {
    return this.#deframer.pending + (this.#following?.length ?? 0);
  }

  /** Octets in user space that the kernel has not taken yet. */
  get unsentOctets(): number {
    return this.#socket.writableLength;
  }

  /** `undefined` when TCP is over. */
  get endpoints(): Endpoints | undefined {
    const { localPort, remotePort } = this.#socket;
    if (localPort === undefined || remotePort === undefined) return undefined;
    return { localPort, remotePort };
  }

  /** Whether another packet may be packed now. */
  get canWrite(): boolean {
    return this.#socket.writable && this.#socket.writableLength < HIGH_WATER_OCTETS;
  }

  /**
   * The next frame; `undefined` when all that has come is taken, which resumes reading.
   *
   * @throws {BgpError} As the deframer.
   */
  nextFrame(): Frame | undefined {
    const frame = this.#deframer.next();
    if (frame) return frame;
    const following = this.#following;
    if (following) {
      this.#following = undefined;
      this.#deframer.push(following);
      return this.nextFrame();
    }
    if (this.#hasInput) this.#inputTaken();
    return undefined;
  }

  /** How long the peer has not let us send what waits to be sent, milliseconds; 0 if nothing waits. */
  get stalledMs(): number {
    return this.#socket.writableLength === 0 ? 0 : performance.now() - this.#progressMs;
  }

  /** @param released Called when the octets may be overwritten. */
  write(octets: Uint8Array, released?: () => void): void {
    if (!this.#events || this.#lostReason !== undefined) {
      released?.();
      return;
    }
    this.#tell('sent', octets);
    if (this.#socket.writableLength === 0) this.#progressMs = performance.now();
    this.#socket.write(octets, () => {
      this.#progressMs = performance.now();
      released?.();
    });
  }

  /** Ends at once. No event follows. */
  close(): void {
    this.#events = undefined;
    this.#socket.destroy();
  }

  /** Ends after `last` has left: unread octets would turn the close into a reset, which may overtake it. */
  closeAfter(last: Uint8Array): void {
    this.#tell('sent', last);
    this.#events = undefined;
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(timer));
    this.#socket.end(last);
    this.#socket.resume();
  }

  #tell(direction: 'sent' | 'received', octets: Uint8Array): void {
    const taps = this.#events?.taps;
    if (!taps || taps.size === 0) return;
    const stream = this.#stream();
    if (stream) for (const tap of taps) tap(direction, octets, stream);
  }

  /** `undefined` when TCP is over. */
  #stream(): CapturedStream | undefined {
    const [local, remote] = [localAddressOf(this.#socket), remoteAddressOf(this.#socket)];
    const ports = this.endpoints;
    if (!local || !remote || !ports) return undefined;
    return {
      local: { address: local, port: ports.localPort },
      remote: { address: remote, port: ports.remotePort },
    };
  }

  #take(chunk: Uint8Array): void {
    if (!this.#events) return;
    this.#tell('received', chunk);
    if (this.#hasInput || chunk.length >= WHOLE_READ_OCTETS) this.#pause();
    if (this.#hasInput) this.#following = chunk;
    else this.#deframer.push(chunk);
    this.#hasInput = true;
    this.#events.readable();
  }

  #pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  #inputTaken(): void {
    this.#hasInput = false;
    if (this.#lostReason !== undefined) {
      setImmediate(() => this.#tellLost());
    } else if (this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
  }

  #lost(reason: string): void {
    if (this.#lostReason !== undefined) return;
    this.#lostReason = reason;
    this.#socket.destroy();
    if (!this.#hasInput) this.#tellLost();
  }

  #tellLost(): void {
    const events = this.#events;
    this.#events = undefined;
    events?.lost(this.#lostReason ?? '');
  }
}

/**
 * Gives an accepted socket what its peer has of its own: it has the TTLs and the interface of the listener.
 *
 * @throws {KernelError} If the kernel refuses. @throws {Error} If Node does not tell the descriptor.
 */
export function applyPeerOptions(
  socket: Socket,
  { address, ttl, minTtl, bindInterface }: PeerSocketOptions,
): void {
  const fd = descriptorOf(socket);
  setTtl(fd, { family: familyOf(address), ttl, ...(minTtl !== undefined && { minTtl }) });
  if (bindInterface !== undefined) bindToDevice(fd, bindInterface);
}

type PeerSocketOptions = Pick<PeerConfig, 'address' | 'ttl' | 'minTtl' | 'bindInterface'>;

function descriptorOf(socket: Socket): number {
  // Not documented, but stable for a decade; there is no other way to a socket option.
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } };
  if (handle?.fd === undefined || handle.fd < 0) throw new Error('no descriptor');
  return handle.fd;
}

/** Our address of a connected socket, without the zone that Node adds to link-local ones. */
export function localAddressOf(socket: Socket): IpAddress | undefined {
  return addressOf(socket.localAddress);
}

/** The peer's address, likewise. */
export function remoteAddressOf(socket: Socket): IpAddress | undefined {
  return addressOf(socket.remoteAddress);
}

/** The interface that a connection between link-local addresses is on: its zone. */
export function deviceOf(socket: Socket): string | undefined {
  return socket.remoteAddress?.split('%')[1];
}

/** `undefined` when the connection is gone already. */
function addressOf(text: string | undefined): IpAddress | undefined {
  return text === undefined ? undefined : parseAddress(text.replace(/%.*$/, ''));
}
