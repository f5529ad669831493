import { MAX_MESSAGE_OCTETS } from '../core/wire/header.ts';

/** Octets that are packed at once: sixteen whole messages of the usual largest size. */
const ROOM_OCTETS = 64 * 1024;
/** The same where messages may be longer (RFC 8654): many short ones share it while there is room for a long one. */
const EXTENDED_ROOM_OCTETS = 256 * 1024;
const SMALLEST_OCTETS = 2 * 1024;
/** Of each size. */
const MOST_KEPT_OCTETS = 1024 * 1024;

/**
 * Memory for what is sent. Messages are packed in one place, and what was packed is copied to a buffer of its size, which is in
 * use until the kernel has taken its octets: a hundred peers that are sent a few messages each take little, and no new memory.
 */
export class BufferPool {
  readonly #free = new Map<number, Uint8Array[]>();
  #room = new Uint8Array(0);

  /** Where to pack messages: one that is valid until the next {@link copy}. @param maxMessageOctets The largest that goes in. */
  room(maxMessageOctets: number): Uint8Array {
    const octets = maxMessageOctets > MAX_MESSAGE_OCTETS ? EXTENDED_ROOM_OCTETS : ROOM_OCTETS;
    if (this.#room.length < octets) this.#room = new Uint8Array(octets);
    return this.#room.length === octets ? this.#room : this.#room.subarray(0, octets);
  }

  /** A copy of what was packed. {@link give} it back, whole, when it is not needed any more. */
  copy(packed: Uint8Array): Uint8Array {
    const octets = sizeFor(packed.length);
    const buffer = this.#free.get(octets)?.pop() ?? new Uint8Array(octets);
    buffer.set(packed);
    return buffer;
  }

  give(buffer: Uint8Array): void {
    const free = this.#free.get(buffer.length) ?? [];
    if (free.length * buffer.length < MOST_KEPT_OCTETS) free.push(buffer);
    this.#free.set(buffer.length, free);
  }
}

/** Powers of two, so that few sizes serve all. */
function sizeFor(octets: number): number {
  return Math.max(SMALLEST_OCTETS, 1 << (32 - Math.clz32(octets - 1)));
}
