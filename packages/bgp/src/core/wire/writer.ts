/** Appends fields in network order to a buffer that grows. For OPEN and the like; UPDATEs are packed in place. */
export class Writer {
  #bytes = new Uint8Array(64);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Octets written so far. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#extend(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#extend(2);
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#extend(4);
    this.#view.setUint32(at, value);
    return this;
  }

  bytes(octets: Uint8Array): this {
    const at = this.#extend(octets.length);
    this.#bytes.set(octets, at);
    return this;
  }

  /** Puts a length, say, where room was left for it. @param at Offset of what was written. */
  patchU16(at: number, value: number): void {
    this.#view.setUint16(at, value);
  }

  /** @param at As in {@link patchU16}. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  /** Forgets what was written; the memory stays. */
  clear(): void {
    this.#length = 0;
  }

  /** What was written, as a fresh array. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #extend(octets: number): number {
    const at = this.#length;
    this.#length += octets;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}
