import { checkHeader, HEADER_OCTETS, MAX_EXTENDED_OCTETS, MAX_MESSAGE_OCTETS } from './header.ts';

/** One whole message, header stripped. */
export interface Frame {
  readonly type: number;
  /** A view that is valid until the next call of the deframer. */
  readonly body: Uint8Array;
}

const EMPTY = new Uint8Array(0);

/**
 * Cuts a byte stream into messages. Whole messages are views into the chunk; only one that straddles two
 * chunks is copied, so what it holds beyond the current chunk is less than one message.
 */
export class Deframer {
  /** Both sides have announced messages of up to 65,535 octets. RFC 8654. */
  extended = false;
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  /** The start of a message whose end has not come yet. */
  #partial = new Uint8Array(MAX_MESSAGE_OCTETS);
  #partialLength = 0;

  /** Octets given and not yet returned as messages. */
  get pending(): number {
    return this.#partialLength + this.#chunk.length - this.#at;
  }

  /**
   * Gives the next chunk. Only when {@link next} has returned `undefined`.
   *
   * @param chunk Borrowed until the next `push`.
   */
  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) throw new Error('the last chunk is not used up');
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * The next whole message; `undefined` when more bytes are needed.
   *
   * @throws {BgpError} Message Header Error (1/x), as soon as the header is there. The stream is then useless.
   */
  next(): Frame | undefined {
    if (this.#partialLength > 0) return this.#nextFromPartial();
    const available = this.#chunk.length - this.#at;
    if (available < HEADER_OCTETS) return this.#keepRest();
    const length = checkHeader(this.#chunk, this.#at, this.extended);
    if (available < length) {
      this.#makeRoom(length);
      return this.#keepRest();
    }
    const start = this.#at;
    this.#at += length;
    return frame(this.#chunk, start, length);
  }

  #nextFromPartial(): Frame | undefined {
    if (!this.#fillTo(HEADER_OCTETS)) return undefined;
    const length = checkHeader(this.#partial, 0, this.extended);
    this.#makeRoom(length);
    if (!this.#fillTo(length)) return undefined;
    this.#partialLength = 0;
    return frame(this.#partial, 0, length);
  }

  /** Who never gets a long message has no room for one. */
  #makeRoom(octets: number): void {
    if (octets <= this.#partial.length) return;
    const larger = new Uint8Array(MAX_EXTENDED_OCTETS);
    larger.set(this.#partial.subarray(0, this.#partialLength));
    this.#partial = larger;
  }

  #fillTo(octets: number): boolean {
    const wanted = octets - this.#partialLength;
    if (wanted <= 0) return true;
    const part = this.#chunk.subarray(this.#at, this.#at + wanted);
    this.#partial.set(part, this.#partialLength);
    this.#partialLength += part.length;
    this.#at += part.length;
    return part.length === wanted;
  }

  #keepRest(): undefined {
    const rest = this.#chunk.subarray(this.#at);
    this.#partial.set(rest, 0);
    this.#partialLength = rest.length;
    this.#at = this.#chunk.length;
    this.#chunk = EMPTY;
    this.#at = 0;
  }
}

function frame(bytes: Uint8Array, start: number, length: number): Frame {
  return {
    type: bytes[start + HEADER_OCTETS - 1] ?? 0,
    body: bytes.subarray(start + HEADER_OCTETS, start + length),
  };
}
