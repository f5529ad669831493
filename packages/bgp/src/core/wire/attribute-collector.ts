import { AS_TRANS } from '@overland/net';
import { type AsPathField, mergeAs4Path, widenAsPath } from './as-path.ts';
import { AttributeCode, readU32, writeAttributeHeader } from './attribute-set.ts';

const SCRATCH_OCTETS = 16_384;
/** Offset at which the widened AS_PATH is built: behind any message of 4096 octets that grew to its double. */
const PATH_AT = 8192;

/**
 * Gathers the attributes of one UPDATE that belong in its attribute set, in any order, and writes the set. One
 * collector serves all UPDATEs: nothing is allocated per message.
 */
export class AttributeCollector {
  /** The set that {@link finish} wrote: the first `length` octets. */
  readonly octets = new Uint8Array(SCRATCH_OCTETS);
  length = 0;
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

  /** Takes the value of an attribute that was {@link see}n. */
  put(code: number, flags: number, from: number, to: number): void {
    this.#flags[code] = flags;
    this.#from[code] = from;
    this.#to[code] = to;
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
    let at = 0;
    for (let i = 0; i < this.#count; i += 1) {
      const code = this.#codes[i] ?? 0;
      if (code === AttributeCode.As4Path || code === AttributeCode.As4Aggregator) continue;
      if (code === AttributeCode.NextHop) continue;
      if (fourOctetAs || (code !== AttributeCode.AsPath && code !== AttributeCode.Aggregator)) {
        at = this.#copy(code, at);
      } else if (code === AttributeCode.AsPath) {
        at = this.#writeWidePath(at);
      } else {
        at = this.#writeWideAggregator(at);
      }
    }
    this.length = at;
  }

  #copy(code: number, at: number): number {
    return this.#write(code, at, this.#bytes, {
      from: this.#from[code] ?? 0,
      to: this.#to[code] ?? 0,
    });
  }

  #write(
    code: number,
    at: number,
    source: Uint8Array,
    value: { readonly from: number; readonly to: number },
  ): number {
    const { octets } = this;
    const length = value.to - value.from;
    let to = writeAttributeHeader(octets, at, { flags: this.#flags[code] ?? 0, code, length });
    for (let i = value.from; i < value.to; i += 1, to += 1) octets[to] = source[i] ?? 0;
    return to;
  }

  #writeWidePath(at: number): number {
    const path = this.#field(AttributeCode.AsPath, 2);
    const as4 = this.#as4IsValid() ? this.#field(AttributeCode.As4Path, 4) : undefined;
    const to = as4
      ? mergeAs4Path(path, as4, this.octets, PATH_AT)
      : widenAsPath(path, this.octets, PATH_AT);
    return this.#write(AttributeCode.AsPath, at, this.octets, { from: PATH_AT, to });
  }

  /** An AGGREGATOR that is not AS_TRANS means that an old speaker aggregated behind the AS4_ attributes. */
  #as4IsValid(): boolean {
    if (!this.has(AttributeCode.As4Path)) return false;
    return !this.has(AttributeCode.Aggregator) || this.#aggregatorAs() === AS_TRANS;
  }

  #aggregatorAs(): number {
    return (readU32(this.#bytes, this.valueOf(AttributeCode.Aggregator)) >>> 16) & 0xffff;
  }

  #writeWideAggregator(at: number): number {
    const { octets } = this;
    const code = AttributeCode.Aggregator;
    const to = writeAttributeHeader(octets, at, { flags: this.#flags[code] ?? 0, code, length: 8 });
    if (this.#aggregatorAs() === AS_TRANS && this.has(AttributeCode.As4Aggregator)) {
      const from = this.valueOf(AttributeCode.As4Aggregator);
      octets.set(this.#bytes.subarray(from, from + 8), to);
    } else {
      const from = this.valueOf(code);
      octets.fill(0, to, to + 2);
      octets.set(this.#bytes.subarray(from, from + 6), to + 2);
    }
    return to + 8;
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
