import { BgpError } from './bgp-error.ts';

/** The NOTIFICATION that a short read of one field deserves. */
export interface ReadFault {
  readonly code: number;
  readonly subcode: number;
  readonly data?: Uint8Array;
}

/**
 * Reads one field from front to back, in network order. One reader per field: it never reads past the field,
 * and it knows which NOTIFICATION a short one deserves.
 */
export class Reader {
  readonly #field: Uint8Array;
  readonly #view: DataView;
  readonly #fault: ReadFault;
  #at = 0;

  /** @param field Borrowed: `take` returns views into it. */
  constructor(field: Uint8Array, fault: ReadFault) {
    this.#field = field;
    this.#view = new DataView(field.buffer, field.byteOffset, field.byteLength);
    this.#fault = fault;
  }

  /** Octets not read yet. */
  get remaining(): number {
    return this.#field.length - this.#at;
  }

  /** Octets read so far. */
  get offset(): number {
    return this.#at;
  }

  /** The next octet, left in place; `undefined` at the end. */
  peek(): number | undefined {
    return this.#field[this.#at];
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  /** The next `octets` octets, as a view into the field. */
  take(octets: number): Uint8Array {
    const start = this.#advance(octets);
    return this.#field.subarray(start, start + octets);
  }

  /** Everything that is left, as a view into the field. */
  rest(): Uint8Array {
    return this.take(this.remaining);
  }

  /** A reader of the next `octets` octets, with the same fault unless another is given. */
  sub(octets: number, fault: ReadFault = this.#fault): Reader {
    return new Reader(this.take(octets), fault);
  }

  /** The error to throw for what this field holds. */
  error(reason: string): BgpError {
    return new BgpError(this.#fault, reason);
  }

  #advance(octets: number): number {
    const start = this.#at;
    if (octets > this.#field.length - start) {
      throw this.error(`${octets} octets wanted, ${this.remaining} left`);
    }
    this.#at = start + octets;
    return start;
  }
}
