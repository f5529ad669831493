import { Socket } from 'node:net';
import { KernelError } from '@overland/linux';
import { familyOf, type IpAddress } from '@overland/net';
import type { OpenSocket } from './transport.ts';

/** Of TCP to caches and stations, which may be anywhere. */
const TTL = 64;
/** How long what was written last may take to leave, milliseconds. */
const LINGER_MS = 1000;

export interface StreamTarget {
  readonly address: IpAddress;
  readonly port: number;
  /** Source address; absent: the kernel picks. */
  readonly localAddress?: IpAddress;
}

export interface StreamEvents {
  connected(): void;
  /** @returns Resolves when the next chunk may come. */
  received(chunk: Uint8Array): Promise<void> | void;
  /** What was written has left for the kernel. */
  drained(): void;
  /** It is over; nothing more comes. Not after {@link DialledStream.close}. */
  lost(reason: string): void;
}

/** A TCP connection that we dialled: octets out, chunks in, one at a time. */
export class DialledStream {
  readonly #socket: Socket;
  #events: StreamEvents | undefined;

  private constructor(socket: Socket, events: StreamEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Uint8Array) => void this.#take(chunk));
    socket.on('drain', () => this.#events?.drained());
    socket.on('end', () => this.#lost('closed by the other side'));
    socket.on('close', () => this.#lost('closed'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#lost(error.code ?? error.message));
  }

  /** Begins to dial. What keeps it from that is told as `lost`, in a later turn. */
  static dial(target: StreamTarget, events: StreamEvents, open: OpenSocket): DialledStream {
    const socket = openSocket(target, open);
    const stream = new DialledStream(socket instanceof Socket ? socket : new Socket(), events);
    if (socket instanceof Socket) {
      socket.connect({ host: target.address, port: target.port }, () => {
        stream.#events?.connected();
      });
    } else setImmediate(() => stream.#lost(socket));
    return stream;
  }

  /** Octets in user space that the kernel has not taken yet. */
  get unsentOctets(): number {
    return this.#socket.writableLength;
  }

  write(octets: Uint8Array): void {
    if (this.#events && this.#socket.writable) this.#socket.write(octets);
  }

  /** Ends it after what was written. No event follows. */
  close(): void {
    this.#events = undefined;
    if (this.#socket.connecting) {
      this.#socket.destroy();
      return;
    }
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(timer));
    this.#socket.end();
    this.#socket.resume();
  }

  async #take(chunk: Uint8Array): Promise<void> {
    const taken = this.#events?.received(chunk);
    if (!taken) return;
    this.#socket.pause();
    await taken;
    this.#socket.resume();
  }

  #lost(reason: string): void {
    const events = this.#events;
    this.#events = undefined;
    this.#socket.destroy();
    events?.lost(reason);
  }
}

/** @returns The reason, if there is none. */
function openSocket({ address, localAddress }: StreamTarget, open: OpenSocket): Socket | string {
  const source = localAddress === undefined ? {} : { address: localAddress };
  try {
    const fd = open({ family: familyOf(address), ttl: TTL, tos: 0, ...source });
    return new Socket({ fd, readable: true, writable: true });
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return `${error.code} for source ${localAddress ?? 'any'}`;
  }
}
