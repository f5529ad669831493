import { AttributeCode, AttributeCursor, type AttributeField } from './attribute-set.ts';

const COMMUNITY_OCTETS = 8;
/** Link bandwidth as an extended community, not transitive and transitive: type and sub-type. */
const NON_TRANSITIVE = 0x4004;
const TRANSITIVE = 0x0004;

/** A link bandwidth extended community. draft-ietf-idr-link-bandwidth. */
export interface LinkBandwidth {
  /** Of whoever says so. */
  readonly asn: number;
  readonly bitsPerSecond: number;
}

/**
 * Reads link bandwidth extended communities. draft-ietf-idr-link-bandwidth section 2.
 *
 *   +----------------+------------------+---------------+------------------------+
 *   | 0x40 or 0 (1)  | Sub-type 4 (1)   | AS number (2) | Octets per second (4)  |   IEEE 754
 *   +----------------+------------------+---------------+------------------------+
 */
export class LinkBandwidthReader {
  readonly #cursor = new AttributeCursor();
  readonly #float = new DataView(new ArrayBuffer(4));

  /**
   * Octets per second; of several the lowest. 0 if the set has none that is a positive number.
   *
   * @param bytes A well-formed set from `from` on.
   */
  read(bytes: Uint8Array, from: number, length: number): number {
    const cursor = this.#cursor;
    cursor.start(bytes, from, length);
    while (cursor.next()) {
      if (cursor.code === AttributeCode.ExtendedCommunities) return this.#lowest(cursor);
    }
    return 0;
  }

  #lowest({ bytes, from, to }: AttributeCursor): number {
    let lowest = 0;
    for (let at = from; at < to; at += COMMUNITY_OCTETS) {
      if (!isLinkBandwidth(bytes, at)) continue;
      const value = this.#floatAt(bytes, at + 4);
      const isBandwidth = Number.isFinite(value) && value > 0;
      if (isBandwidth && (lowest === 0 || value < lowest)) lowest = value;
    }
    return lowest;
  }

  #floatAt(bytes: Uint8Array, at: number): number {
    for (let i = 0; i < 4; i += 1) this.#float.setUint8(i, bytes[at + i] ?? 0);
    return this.#float.getFloat32(0);
  }
}

/** AS numbers that the community has no room for are this one. RFC 6793. */
const AS_TRANS = 23_456;

/**
 * Writes extended communities without those of link bandwidth, and then maybe one.
 *
 * It is the transitive one, as FRR writes it: an export rule may be for an eBGP peer, whose session passes on nothing else.
 *
 * @param field The extended communities of the set; empty if it has none.
 * @returns The offset behind them.
 */
export function editLinkBandwidth(
  { bytes, from, to }: AttributeField,
  edit: LinkBandwidth | 'remove',
  target: Uint8Array,
  start: number,
): number {
  let out = start;
  for (let at = from; at < to; at += COMMUNITY_OCTETS) {
    if (isLinkBandwidth(bytes, at)) continue;
    for (let i = 0; i < COMMUNITY_OCTETS; i += 1) target[out + i] = bytes[at + i] ?? 0;
    out += COMMUNITY_OCTETS;
  }
  if (edit === 'remove') return out;
  const community = new DataView(new ArrayBuffer(COMMUNITY_OCTETS));
  community.setUint16(0, TRANSITIVE);
  community.setUint16(2, edit.asn > 0xffff ? AS_TRANS : edit.asn);
  community.setFloat32(4, edit.bitsPerSecond / 8);
  for (let i = 0; i < COMMUNITY_OCTETS; i += 1) target[out + i] = community.getUint8(i);
  return out + COMMUNITY_OCTETS;
}

function isLinkBandwidth(bytes: Uint8Array, at: number): boolean {
  const type = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return type === NON_TRANSITIVE || type === TRANSITIVE;
}

/** Bits per second with a unit: `25 Gbit/s`, to four figures. */
export function bandwidthText(bitsPerSecond: number): string {
  const units = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'];
  const power = Math.floor(Math.log10(Math.max(1, bitsPerSecond)) / 3);
  const unit = Math.min(units.length - 1, power);
  return `${Number((bitsPerSecond / 1000 ** unit).toPrecision(4))} ${units[unit]}`;
}
