import { AttributeCode, AttributeCursor } from './attribute-set.ts';

const COMMUNITY_OCTETS = 8;
/** Link bandwidth as an extended community, not transitive and transitive: type and sub-type. */
const NON_TRANSITIVE = 0x4004;
const TRANSITIVE = 0x0004;

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
      const type = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      if (type !== NON_TRANSITIVE && type !== TRANSITIVE) continue;
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
