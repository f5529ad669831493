/** Path attribute type codes. RFC 4271 section 5, IANA. */
export const AttributeCode = {
  Origin: 1,
  AsPath: 2,
  NextHop: 3,
  Med: 4,
  LocalPref: 5,
  AtomicAggregate: 6,
  Aggregator: 7,
  Communities: 8,
  OriginatorId: 9,
  ClusterList: 10,
  MpReach: 14,
  MpUnreach: 15,
  ExtendedCommunities: 16,
  As4Path: 17,
  As4Aggregator: 18,
  Ipv6ExtendedCommunities: 25,
  LargeCommunities: 32,
  OnlyToCustomer: 35,
} as const;

/** Attribute flags. RFC 4271 section 4.3. */
export const AttributeFlag = {
  Optional: 0x80,
  Transitive: 0x40,
  Partial: 0x20,
  ExtendedLength: 0x10,
} as const;

/**
 * An attribute's value inside a message or an attribute set.
 *
 * An *attribute set* is path attributes in wire form, normalised: ascending type codes, no duplicates, Extended
 * Length only where it is needed, AS numbers of four octets, no next hop and no MP_REACH_NLRI or MP_UNREACH_NLRI.
 * Equal routes have equal sets, so sets can be interned.
 */
export interface AttributeField {
  readonly bytes: Uint8Array;
  /** Offsets of the value. */
  readonly from: number;
  readonly to: number;
}

/** The two octets of an attribute's type. Extended Length is no part of it: it follows from the length. */
export function attributeType(flags: number, code: number): number {
  return (flags << 8) | code;
}

/**
 * Writes an attribute's header. RFC 4271 section 4.3.
 *
 *   +-----------+----------+------------------+
 *   | Flags (1) | Code (1) | Length (1 or 2)  |
 *   +-----------+----------+------------------+
 *
 * @param at Offset, in `target`.
 * @param type Flags and code, as {@link attributeType} makes it.
 * @param length Of the value, octets.
 * @returns The offset of the value.
 */
export function writeAttributeHeader(
  target: Uint8Array,
  at: number,
  type: number,
  length: number,
): number {
  const flags = type >>> 8;
  target[at + 1] = type;
  if (length <= 255) {
    target[at] = flags & ~AttributeFlag.ExtendedLength;
    target[at + 2] = length;
    return at + 3;
  }
  target[at] = flags | AttributeFlag.ExtendedLength;
  target[at + 2] = length >>> 8;
  target[at + 3] = length;
  return at + 4;
}

const NO_OCTETS = new Uint8Array(0);

/** Walks the attributes of a set, from the first to the last; may be used again and again. */
export class AttributeCursor {
  flags = 0;
  code = 0;
  /** Offsets of the value. */
  from = 0;
  to = 0;
  bytes: Uint8Array = NO_OCTETS;
  #end = 0;

  /** Goes to the front of the set of `length` octets from `from` on. */
  start(bytes: Uint8Array, from: number, length: number): void {
    this.bytes = bytes;
    this.to = from;
    this.#end = from + length;
  }

  /** @returns Whether there was another attribute. */
  next(): boolean {
    const set = this.bytes;
    const at = this.to;
    if (at >= this.#end) return false;
    this.flags = set[at] ?? 0;
    this.code = set[at + 1] ?? 0;
    let length = set[at + 2] ?? 0;
    this.from = at + 3;
    if ((this.flags & AttributeFlag.ExtendedLength) !== 0) {
      length = (length << 8) | (set[at + 3] ?? 0);
      this.from = at + 4;
    }
    this.to = this.from + length;
    return true;
  }
}

/** Reads four octets in network order. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}

/** Writes four octets in network order. */
export function writeU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}
