import { MrtError } from './mrt-error.ts';

/** Types of records. RFC 6396 section 4. */
export const MrtType = { TableDumpV2: 13, Bgp4mp: 16, Bgp4mpEt: 17 } as const;

/** Subtypes of TABLE_DUMP_V2. RFC 6396 section 4.3, RFC 8050 section 4. */
export const TableDumpSubtype = {
  PeerIndexTable: 1,
  RibIpv4Unicast: 2,
  RibIpv6Unicast: 4,
  RibIpv4UnicastAddPath: 8,
  RibIpv6UnicastAddPath: 10,
} as const;

/** Subtypes of BGP4MP and BGP4MP_ET. RFC 6396 section 4.4, RFC 8050 section 3. */
export const Bgp4mpSubtype = {
  StateChange: 0,
  Message: 1,
  MessageAs4: 4,
  StateChangeAs4: 5,
  MessageLocal: 6,
  MessageAs4Local: 7,
  MessageAddPath: 8,
  MessageAs4AddPath: 9,
  MessageLocalAddPath: 10,
  MessageAs4LocalAddPath: 11,
} as const;

/** Octets of the header of a record. */
export const MRT_HEADER_OCTETS = 12;
/** A prefix with a thousand paths of the longest attributes would be longer; no such file is known. */
const MAX_RECORD_OCTETS = 16 * 1024 * 1024;

/**
 * One record. RFC 6396 section 2.
 *
 *   +---------------+----------+-------------+------------+---------+
 *   | Timestamp (4) | Type (2) | Subtype (2) | Length (4) | Message |   Length is of the message alone.
 *   +---------------+----------+-------------+------------+---------+
 */
export interface RawMrtRecord {
  /** UNIX time, seconds. */
  readonly timestamp: number;
  readonly type: number;
  readonly subtype: number;
  /** A view that is valid until the next call of the reader. */
  readonly body: Uint8Array;
}

const EMPTY = new Uint8Array(0);

/** Cuts the octets of a file into records. What it holds is less than a chunk and a record. */
export class MrtReader {
  #octets: Uint8Array = EMPTY;
  #at = 0;

  /** Octets given and not yet returned as records. */
  get pending(): number {
    return this.#octets.length - this.#at;
  }

  push(chunk: Uint8Array): void {
    if (this.pending === 0) this.#octets = chunk;
    else {
      const joined = new Uint8Array(this.pending + chunk.length);
      joined.set(this.#octets.subarray(this.#at));
      joined.set(chunk, this.pending);
      this.#octets = joined;
    }
    this.#at = 0;
  }

  /**
   * The next whole record; `undefined` when more octets are needed.
   *
   * @throws {MrtError} If a record is longer than 16 MiB: the file is something else.
   */
  next(): RawMrtRecord | undefined {
    if (this.pending < MRT_HEADER_OCTETS) return undefined;
    const view = new DataView(this.#octets.buffer, this.#octets.byteOffset + this.#at);
    const length = view.getUint32(8);
    if (length > MAX_RECORD_OCTETS) {
      throw new MrtError(`a record of ${length} octets: at most ${MAX_RECORD_OCTETS} are read`);
    }
    if (this.pending < MRT_HEADER_OCTETS + length) return undefined;
    const from = this.#at + MRT_HEADER_OCTETS;
    this.#at = from + length;
    return {
      timestamp: view.getUint32(0),
      type: view.getUint16(4),
      subtype: view.getUint16(6),
      body: this.#octets.subarray(from, this.#at),
    };
  }

  /** The file is over. @throws {MrtError} If it ends inside a record. */
  end(): void {
    if (this.pending > 0) {
      throw new MrtError(`the file ends inside a record: ${this.pending} octets are left over`);
    }
  }
}
