import { NLM_F } from './constants.ts';

/** Size of `struct nlmsghdr`. */
export const HEADER_OCTETS = 16;
/** Netlink speaks host byte order; every platform we run on (x64, arm64) is little-endian. */
export const LITTLE_ENDIAN = true;

const SEQUENCE_OFFSET = 8;
const LAST_SEQUENCE = 0xfff0_0000;

const text = new TextEncoder();

/**
 * Builds netlink requests one behind the other in one buffer. linux/netlink.h:
 *
 *   +------------+----------+-----------+--------------+-----------+------------------+
 *   | Length (4) | Type (2) | Flags (2) | Sequence (4) | Port (4)  | Body, attributes |   padded to 4
 *   +------------+----------+-----------+--------------+-----------+------------------+
 */
export class MessageWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #length = 0;
  /** Where the message being written, and the newest complete one, start. */
  #message = 0;
  #complete = 0;
  #sequence: number;

  /**
   * @param sequence Of the message before the first.
   * @param octets Room to begin with.
   */
  constructor(sequence = 0, octets = 16_384) {
    this.#sequence = sequence;
    this.#bytes = new Uint8Array(octets);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What was written since {@link clear}; valid until the next write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Octets written since {@link clear}. */
  get length(): number {
    return this.#length;
  }

  /** Sequence number of the newest message. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Forgets the messages. The sequence goes on, and starts over only between batches, never inside one. */
  clear(): void {
    this.#length = 0;
    if (this.#sequence > LAST_SEQUENCE) this.#sequence = 0;
  }

  /** Starts a message. Everything written until {@link end} is its body. */
  begin(type: number, flags: number): void {
    this.#message = this.#length;
    this.#sequence += 1;
    this.u32(0);
    this.u16(type);
    this.u16(flags | NLM_F.request);
    this.u32(this.#sequence);
    this.u32(0);
  }

  end(): void {
    this.#view.setUint32(this.#message, this.#length - this.#message, LITTLE_ENDIAN);
    this.#complete = this.#message;
  }

  /** A whole message that another writer has made, under a sequence number of this one's. */
  copy(message: Uint8Array): void {
    const at = this.#grow(message.length);
    this.#bytes.set(message, at);
    this.#sequence += 1;
    this.#view.setUint32(at + SEQUENCE_OFFSET, this.#sequence, LITTLE_ENDIAN);
    this.#complete = at;
  }

  /** Takes back the message that {@link begin} started. */
  abandon(): void {
    this.#length = this.#message;
    this.#sequence -= 1;
  }

  /** Asks for an answer to the newest complete message even if it succeeds. */
  acknowledge(): void {
    const at = this.#complete + 6;
    this.#view.setUint16(at, this.#view.getUint16(at, LITTLE_ENDIAN) | NLM_F.ack, LITTLE_ENDIAN);
  }

  u8(value: number): void {
    const at = this.#grow(1); // may replace the view
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, LITTLE_ENDIAN);
  }

  u32(value: number): void {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, LITTLE_ENDIAN);
  }

  zeros(octets: number): void {
    const at = this.#grow(octets);
    this.#bytes.fill(0, at, at + octets);
  }

  raw(value: Uint8Array): void {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
  }

  attributeU32(type: number, value: number): void {
    this.#attribute(type, 4);
    this.u32(value);
  }

  /** @param value Up to 2^53. */
  attributeU64(type: number, value: number): void {
    this.#attribute(type, 8);
    const at = this.#grow(8);
    this.#view.setBigUint64(at, BigInt(value), LITTLE_ENDIAN);
  }

  /** In network byte order, as netfilter has it. */
  attributeBig32(type: number, value: number): void {
    this.#attribute(type, 4);
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
  }

  /** In network byte order. @param value Up to 2^53. */
  attributeBig64(type: number, value: number): void {
    this.#attribute(type, 8);
    const at = this.#grow(8);
    this.#view.setBigUint64(at, BigInt(value));
  }

  attributeBytes(type: number, value: Uint8Array): void {
    this.#attribute(type, value.length);
    this.raw(value);
    this.#pad();
  }

  /** A string with its terminating NUL. */
  attributeText(type: number, value: string): void {
    const start = this.#length;
    this.#attribute(type, value.length + 1);
    const at = this.#grow(value.length + 1);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.#length = start;
        this.attributeBytes(type, text.encode(`${value}\0`));
        return;
      }
      // Names are short and ASCII: an encoder costs more than it writes.
      this.#bytes[at + i] = code;
    }
    this.#bytes[at + value.length] = 0;
    this.#pad();
  }

  /** An attribute whose value is what `write` writes: a struct, attributes, or both. */
  nest(type: number, write: () => void): void {
    const start = this.#length;
    this.#attribute(type, 0);
    write();
    this.#view.setUint16(start, this.#length - start, LITTLE_ENDIAN);
    this.#pad();
  }

  /** A `struct rtnexthop` of RTA_MULTIPATH: its length counts the attributes that `write` appends. */
  pathOfMultipath(interfaceIndex: number, write: () => void): void {
    const start = this.#length;
    this.zeros(4); // length, flags, weight - 1
    this.u32(interfaceIndex);
    write();
    this.#view.setUint16(start, this.#length - start, LITTLE_ENDIAN);
  }

  #attribute(type: number, length: number): void {
    this.u16(4 + length);
    this.u16(type);
  }

  #pad(): void {
    this.zeros(-this.#length & 3);
  }

  /** Makes room for `octets` more. @returns Where they start. */
  #grow(octets: number): number {
    const at = this.#length;
    this.#length += octets;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
