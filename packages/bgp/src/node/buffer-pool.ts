/** Octets of one buffer: sixteen whole messages of the largest size. */
const BUFFER_OCTETS = 64 * 1024;
const MOST_KEPT = 16;

/** Send buffers: one is in use from packing until the kernel has taken its octets. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(BUFFER_OCTETS);
  }

  give(buffer: Uint8Array): void {
    if (this.#free.length < MOST_KEPT) this.#free.push(buffer);
  }
}
