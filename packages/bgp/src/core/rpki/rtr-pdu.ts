import type { Family } from '@overland/net';
import { BgpError } from '../wire/bgp-error.ts';
import { Reader } from '../wire/reader.ts';
import { textOf, utf8Of } from '../wire/utf8.ts';
import { Writer } from '../wire/writer.ts';
import type { Vrp } from './vrp-table.ts';

/** 0: RFC 6810; 1: RFC 8210. */
export type RtrVersion = 0 | 1;

/** RFC 8210 section 5. */
const PduType = {
  SerialNotify: 0,
  SerialQuery: 1,
  ResetQuery: 2,
  CacheResponse: 3,
  Ipv4Prefix: 4,
  Ipv6Prefix: 6,
  EndOfData: 7,
  CacheReset: 8,
  RouterKey: 9,
  ErrorReport: 10,
} as const;

/** RFC 8210 section 12. */
export const RtrError = {
  CorruptData: 0,
  InternalError: 1,
  NoDataAvailable: 2,
  InvalidRequest: 3,
  UnsupportedVersion: 4,
  UnsupportedPduType: 5,
  WithdrawalOfUnknown: 6,
  DuplicateAnnouncement: 7,
  UnexpectedVersion: 8,
} as const;

export const ERROR_NAMES: Readonly<Record<number, string>> = {
  0: 'Corrupt Data',
  1: 'Internal Error',
  2: 'No Data Available',
  3: 'Invalid Request',
  4: 'Unsupported Protocol Version',
  5: 'Unsupported PDU Type',
  6: 'Withdrawal of Unknown Record',
  7: 'Duplicate Announcement Received',
  8: 'Unexpected Protocol Version',
};

const HEADER_OCTETS = 8;
/** The longest that makes sense: an Error Report with a PDU and a text, or a Router Key. */
const MAX_PDU_OCTETS = 65_536;
/** Of the PDU that an Error Report shows the other side. */
const MAX_SHOWN_OCTETS = 1024;

/** Seconds. RFC 8210 section 6. */
export interface RtrIntervals {
  readonly refreshSeconds: number;
  readonly retrySeconds: number;
  readonly expireSeconds: number;
}

/** What a cache says. */
export type RtrPdu = { readonly version: number; readonly octets: Uint8Array } & (
  | { readonly type: 'serial-notify'; readonly sessionId: number; readonly serial: number }
  | { readonly type: 'cache-response'; readonly sessionId: number }
  | { readonly type: 'prefix'; readonly announce: boolean; readonly vrp: Vrp }
  | {
      readonly type: 'end-of-data';
      readonly sessionId: number;
      readonly serial: number;
      /** Absent in version 0. */
      readonly intervals?: RtrIntervals;
    }
  | { readonly type: 'cache-reset' }
  | { readonly type: 'router-key' }
  | { readonly type: 'error'; readonly code: number; readonly text: string }
);

/** A PDU that cannot be read, with the error code that the cache is told. */
export class RtrPduError extends Error {
  override readonly name = 'RtrPduError';
  readonly code: number;
  readonly octets: Uint8Array;

  constructor(code: number, octets: Uint8Array, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.code = code;
    this.octets = octets;
  }
}

const EMPTY = new Uint8Array(0);

/**
 * Cuts the octets of a cache into PDUs.
 *
 *   +-------------+----------+-----------------------+------------+------+
 *   | Version (1) | Type (1) | Session id or so (2)  | Length (4) |  …   |   Length includes the header.
 *   +-------------+----------+-----------------------+------------+------+
 */
export class RtrReader {
  #octets: Uint8Array = EMPTY;
  #at = 0;

  push(chunk: Uint8Array): void {
    const rest = this.#octets.subarray(this.#at);
    if (rest.length === 0) this.#octets = chunk;
    else {
      this.#octets = new Uint8Array(rest.length + chunk.length);
      this.#octets.set(rest);
      this.#octets.set(chunk, rest.length);
    }
    this.#at = 0;
  }

  /**
   * The next whole PDU; `undefined` when more octets are needed.
   *
   * @throws {RtrPduError} If it cannot be read; the connection is then useless.
   */
  next(): RtrPdu | undefined {
    const left = this.#octets.length - this.#at;
    if (left < HEADER_OCTETS) return undefined;
    const view = new DataView(this.#octets.buffer, this.#octets.byteOffset + this.#at);
    const length = view.getUint32(4);
    if (length < HEADER_OCTETS || length > MAX_PDU_OCTETS) {
      const header = this.#octets.slice(this.#at, this.#at + HEADER_OCTETS);
      throw new RtrPduError(RtrError.CorruptData, header, `a PDU of ${length} octets`);
    }
    if (left < length) return undefined;
    const octets = this.#octets.subarray(this.#at, this.#at + length);
    this.#at += length;
    return decodePdu(octets);
  }
}

const BROKEN = { code: 0, subcode: 0 };

function decodePdu(octets: Uint8Array): RtrPdu {
  const reader = new Reader(octets, BROKEN);
  const [version, type, sessionId] = [reader.u8(), reader.u8(), reader.u16()];
  reader.u32();
  const common = { version, octets };
  try {
    const pdu = decodeBody({ type, sessionId, version }, reader);
    if (!pdu) {
      throw new RtrPduError(RtrError.UnsupportedPduType, octets, `a PDU of type ${type}`);
    }
    if (reader.remaining > 0) throw reader.error(`${reader.remaining} octets too many`);
    return { ...common, ...pdu };
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    const reason = `a broken PDU of type ${type}: ${error.message}`;
    throw new RtrPduError(RtrError.CorruptData, octets, reason, { cause: error });
  }
}

type Body<P = RtrPdu> = P extends unknown ? Omit<P, 'version' | 'octets'> : never;

function decodeBody(
  { type, sessionId, version }: { type: number; sessionId: number; version: number },
  reader: Reader,
): Body | undefined {
  switch (type) {
    case PduType.SerialNotify:
      return { type: 'serial-notify', sessionId, serial: reader.u32() };
    case PduType.CacheResponse:
      return { type: 'cache-response', sessionId };
    case PduType.Ipv4Prefix:
      return decodePrefix('ipv4', reader);
    case PduType.Ipv6Prefix:
      return decodePrefix('ipv6', reader);
    case PduType.EndOfData:
      return decodeEndOfData(sessionId, version, reader);
    case PduType.CacheReset:
      return { type: 'cache-reset' };
    case PduType.RouterKey:
      reader.rest();
      return { type: 'router-key' };
    case PduType.ErrorReport: {
      reader.take(reader.u32());
      const text = textOf(reader.take(reader.u32()))?.replaceAll(UNPRINTABLE, '\ufffd') ?? '';
      return { type: 'error', code: sessionId, text };
    }
    default:
      return undefined;
  }
}

/** Control, formatting (bidirectional overrides) and unassigned characters. */
const UNPRINTABLE = /\p{C}/gu;

function decodePrefix(family: Family, reader: Reader): Body {
  const count = family === 'ipv4' ? 1 : 4;
  const flags = reader.u8();
  const [lengthBits, maxLengthBits] = [reader.u8(), reader.u8()];
  reader.u8();
  const words = Int32Array.from({ length: count }, () => reader.u32());
  const asn = reader.u32();
  if (lengthBits > maxLengthBits || maxLengthBits > 32 * count) {
    throw reader.error(`lengths ${lengthBits} and ${maxLengthBits}`);
  }
  return {
    type: 'prefix',
    announce: (flags & 1) === 1,
    vrp: { family, words, lengthBits, maxLengthBits, asn },
  };
}

function decodeEndOfData(sessionId: number, version: number, reader: Reader): Body {
  const serial = reader.u32();
  if (version === 0) return { type: 'end-of-data', sessionId, serial };
  const [refreshSeconds, retrySeconds, expireSeconds] = [reader.u32(), reader.u32(), reader.u32()];
  const intervals = { refreshSeconds, retrySeconds, expireSeconds };
  return { type: 'end-of-data', sessionId, serial, intervals };
}

/** Asks for what has changed since a serial number. RFC 8210 section 5.3. */
export function serialQuery(version: RtrVersion, sessionId: number, serial: number): Uint8Array {
  return header(version, PduType.SerialQuery, sessionId, 12).u32(serial).finish();
}

/** Asks for everything. RFC 8210 section 5.4. */
export function resetQuery(version: RtrVersion): Uint8Array {
  return header(version, PduType.ResetQuery, 0, HEADER_OCTETS).finish();
}

/** Says what was wrong with a PDU. RFC 8210 section 5.11. */
export function errorReport(
  version: number,
  code: number,
  pdu: Uint8Array,
  reason: string,
): Uint8Array {
  const shown = pdu.subarray(0, MAX_SHOWN_OCTETS);
  const text = utf8Of(reason);
  return header(version, PduType.ErrorReport, code, 16 + shown.length + text.length)
    .u32(shown.length)
    .bytes(shown)
    .u32(text.length)
    .bytes(text)
    .finish();
}

function header(version: number, type: number, sessionId: number, length: number): Writer {
  return new Writer().u8(version).u8(type).u16(sessionId).u32(length);
}
