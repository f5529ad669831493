import { AS_TRANS } from '@overland/net';
import { type AsPathField, mergeAs4Path, widenAsPath } from './as-path.ts';
import { AttributeCode, attributeType, readU32, writeAttributeHeader } from './attribute-set.ts';

/**
 * Gathers the attributes of one UPDATE that belong in its attribute set, in any order, and writes the set. One
 * collector serves all UPDATEs: nothing is allocated per message.
 */
export class AttributeCollector {
  /** The set that {@link finish} wrote: the first `length` octets. */
  readonly octets: Uint8Array;
  length = 0;
  /** Offset at which the widened AS_PATH is built: behind any message that grew to its double. */
  readonly #pathAt: number;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Codes in ascending order, and by code the flags and the place of the value in the message. */
  readonly #codes = new Uint8Array(256);
  #count = 0;
  readonly #flags = new Uint8Array(256);
  readonly #from = new Int32Array(256);
  readonly #to = new Int32Array(256);
  /** By code, the number of the message that had it last. */
  readonly #seen = new Int32Array(256);
  #message = 0;

  constructor(maxMessageOctets: number) {
    this.octets = new Uint8Array(4 * maxMessageOctets);
    this.#pathAt = 2 * maxMessageOctets;
  }

  /** @param bytes The message that all offsets refer to. */
  start(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#count = 0;
    this.length = 0;
    this.#message = (this.#message + 1) | 0;
    if (this.#message === 0) this.#message = 1;
  }

  /** Notes that the message has an attribute. @returns Whether it is the first of its code. */
  see(code: number): boolean {
    if (this.#seen[code] === this.#message) return false;
    this.#seen[code] = this.#message;
    this.#to[code] = -1;
    return true;
  }

  /** Takes the value of an attribute that was {@link see}n, for {@link has} and {@link valueOf}. */
  take(code: number, from: number, to: number): void {
    this.#from[code] = from;
    this.#to[code] = to;
  }

  /** Makes an attribute that was taken part of the set. @param flags Without Extended Length. */
  keep(code: number, flags: number): void {
    this.#flags[code] = flags;
    let at = this.#count;
    for (; at > 0 && (this.#codes[at - 1] ?? 0) > code; at -= 1) {
      this.#codes[at] = this.#codes[at - 1] ?? 0;
    }
    this.#codes[at] = code;
    this.#count += 1;
  }

  /** Whether the value of an attribute was taken. */
  has(code: number): boolean {
    return this.#seen[code] === this.#message && (this.#to[code] ?? -1) >= 0;
  }

  /** Offset of a value that was taken. */
  valueOf(code: number): number {
    return this.#from[code] ?? 0;
  }

  /** Writes the set. RFC 6793 turns two-octet AS numbers into four-octet ones here, and nowhere else. */
  finish(fourOctetAs: boolean): void {
    this.length = 0;
    for (let i = 0; i < this.#count; i += 1) {
      const code = this.#codes[i] ?? 0;
      if (!fourOctetAs && code === AttributeCode.AsPath) this.#writeWidePath();
      else if (!fourOctetAs && code === AttributeCode.Aggregator) this.#writeWideAggregator();
      else this.#write(code, this.#bytes, this.#from[code] ?? 0, this.#to[code] ?? 0);
    }
  }

  /** @returns The offset of the value. */
  #header(code: number, length: number): number {
    const type = attributeType(this.#flags[code] ?? 0, code);
    const at = writeAttributeHeader(this.octets, this.length, type, length);
    this.length = at + length;
    return at;
  }

  #write(code: number, source: Uint8Array, from: number, to: number): void {
    const { octets } = this;
    let at = this.#header(code, to - from);
    for (let i = from; i < to; i += 1, at += 1) octets[at] = source[i] ?? 0;
  }

  #writeWidePath(): void {
    const path = this.#field(AttributeCode.AsPath, 2);
    const to = this.#as4IsValid()
      ? mergeAs4Path(path, this.#field(AttributeCode.As4Path, 4), this.octets, this.#pathAt)
      : widenAsPath(path, this.octets, this.#pathAt);
    this.#write(AttributeCode.AsPath, this.octets, this.#pathAt, to);
  }

  /** An AGGREGATOR that is not AS_TRANS means that an old speaker aggregated behind the AS4_ attributes. */
  #as4IsValid(): boolean {
    if (!this.has(AttributeCode.As4Path)) return false;
    return !this.has(AttributeCode.Aggregator) || this.#aggregatorAs() === AS_TRANS;
  }

  #aggregatorAs(): number {
    return (readU32(this.#bytes, this.valueOf(AttributeCode.Aggregator)) >>> 16) & 0xffff;
  }

  #writeWideAggregator(): void {
    const { octets } = this;
    const to = this.#header(AttributeCode.Aggregator, 8);
    if (this.#aggregatorAs() === AS_TRANS && this.has(AttributeCode.As4Aggregator)) {
      const from = this.valueOf(AttributeCode.As4Aggregator);
      octets.set(this.#bytes.subarray(from, from + 8), to);
    } else {
      const from = this.valueOf(AttributeCode.Aggregator);
      octets.fill(0, to, to + 2);
      octets.set(this.#bytes.subarray(from, from + 6), to + 2);
    }
  }

  #field(code: number, width: 2 | 4): AsPathField {
    return {
      bytes: this.#bytes,
      from: this.#from[code] ?? 0,
      to: this.#to[code] ?? 0,
      width,
    };
  }
}
