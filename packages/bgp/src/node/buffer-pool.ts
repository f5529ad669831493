import { MAX_MESSAGE_OCTETS } from '../core/wire/header.ts';

/** Octets of one buffer: sixteen whole messages of the usual largest size. */
const BUFFER_OCTETS = 64 * 1024;
/** The same where messages may be longer (RFC 8654): many short ones share it while there is room for a long one. */
const EXTENDED_BUFFER_OCTETS = 256 * 1024;
/** Of each size. */
const MOST_KEPT_OCTETS = 1024 * 1024;

/** Send buffers: one is in use from packing until the kernel has taken its octets. */
export class BufferPool {
  readonly #free = new Map<number, Uint8Array[]>();

  /** @param maxMessageOctets The largest message that goes in. */
  take(maxMessageOctets: number): Uint8Array {
    const octets = maxMessageOctets > MAX_MESSAGE_OCTETS ? EXTENDED_BUFFER_OCTETS : BUFFER_OCTETS;
    return this.#free.get(octets)?.pop() ?? new Uint8Array(octets);
  }

  give(buffer: Uint8Array): void {
    const free = this.#free.get(buffer.length) ?? [];
    if (free.length * buffer.length < MOST_KEPT_OCTETS) free.push(buffer);
    this.#free.set(buffer.length, free);
  }
}
