import { NLM_F } from './constants.ts';
import { HEADER_OCTETS, LITTLE_ENDIAN } from './message-writer.ts';

const utf8 = new TextDecoder();

/** One received message. Its body is at `start`..`end` of `bytes` and valid until the next receive. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Port that asked for this, in a notification the socket whose request caused it; 0 is the kernel. */
  readonly port: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly start: number;
  readonly end: number;
}

/** Splits a received datagram. Trailing garbage shorter than its own length field is dropped. */
export function* messagesOf(datagram: Uint8Array<ArrayBuffer>): Generator<Message> {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  for (let at = 0; at + HEADER_OCTETS <= datagram.length; ) {
    const length = view.getUint32(at, LITTLE_ENDIAN);
    if (length < HEADER_OCTETS || at + length > datagram.length) return;
    yield {
      type: view.getUint16(at + 4, LITTLE_ENDIAN),
      flags: view.getUint16(at + 6, LITTLE_ENDIAN),
      sequence: view.getUint32(at + 8, LITTLE_ENDIAN),
      port: view.getUint32(at + 12, LITTLE_ENDIAN),
      bytes: datagram,
      view,
      start: at + HEADER_OCTETS,
      end: at + length,
    };
    at += (length + 3) & ~3;
  }
}

/** A position in the attributes of one message: no object per attribute, dumps have a million of them. */
export class Attributes {
  readonly message: Pick<Message, 'bytes' | 'view'>;
  readonly #end: number;
  #next: number;
  #start = 0;
  #length = 0;
  #type = 0;

  /** @param start Where the attributes begin: after the fixed header of the body. */
  constructor(message: Pick<Message, 'bytes' | 'view'>, start: number, end: number) {
    this.message = message;
    this.#next = start;
    this.#end = end;
  }

  /** Type of the current attribute, without the NLA_F_NESTED and byte-order flags. */
  get type(): number {
    return this.#type;
  }

  /** Where the current value starts in the message's bytes. */
  get start(): number {
    return this.#start;
  }

  /** Of the current value, in octets. */
  get length(): number {
    return this.#length;
  }

  /** Moves to the next attribute. @returns `false` when there is none. */
  next(): boolean {
    if (this.#next + 4 > this.#end) return false;
    const { view } = this.message;
    const length = view.getUint16(this.#next, LITTLE_ENDIAN);
    if (length < 4 || this.#next + length > this.#end) return false;
    this.#type = view.getUint16(this.#next + 2, LITTLE_ENDIAN) & 0x3fff;
    this.#start = this.#next + 4;
    this.#length = length - 4;
    this.#next += (length + 3) & ~3;
    return true;
  }

  u32(): number {
    return this.message.view.getUint32(this.#start, LITTLE_ENDIAN);
  }

  /** Exact up to 2^53. */
  u64(): number {
    return Number(this.message.view.getBigUint64(this.#start, LITTLE_ENDIAN));
  }

  /** In network byte order, as netfilter has it. */
  big32(): number {
    return this.message.view.getUint32(this.#start);
  }

  /** The value; a view, copy it to keep it. */
  octets(): Uint8Array<ArrayBuffer> {
    return this.message.bytes.subarray(this.#start, this.#start + this.#length);
  }

  /** A NUL-terminated string. */
  text(): string {
    const octets = this.octets();
    const nul = octets.indexOf(0);
    return utf8.decode(nul < 0 ? octets : octets.subarray(0, nul));
  }

  /** The attributes inside the current one, after `offset` octets of fixed header. */
  nested(offset = 0): Attributes {
    return new Attributes(this.message, this.#start + offset, this.#start + this.#length);
  }
}

/** Outcome of an NLMSG_ERROR or NLMSG_DONE: `errno` 0 is success; `detail` is the kernel's sentence, if any. */
export interface Answer {
  readonly errno: number;
  readonly detail: string;
}

const NLMSGERR_ATTR_MSG = 1;

/**
 * Reads an NLMSG_ERROR: errno (4, negative), the request's header (16), extended acknowledgement attributes.
 * Expects NETLINK_CAP_ACK, which leaves out the request's body.
 */
export function readAnswer(message: Message): Answer {
  const { view, start, end, flags } = message;
  if (end - start < 4) return { errno: 0, detail: '' };
  const errno = Math.abs(view.getInt32(start, LITTLE_ENDIAN));
  let detail = '';
  if ((flags & NLM_F.ackTlvs) !== 0) {
    const attributes = new Attributes(message, start + 4 + HEADER_OCTETS, end);
    while (attributes.next()) {
      if (attributes.type === NLMSGERR_ATTR_MSG) detail = attributes.text();
    }
  }
  return { errno, detail };
}
