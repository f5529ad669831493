import { BgpError, ErrorCode, HeaderSubcode } from './bgp-error.ts';
import { Writer } from './writer.ts';

/** Message types. RFC 4271 section 4.1, RFC 2918. */
export const MessageType = {
  Open: 1,
  Update: 2,
  Notification: 3,
  Keepalive: 4,
  RouteRefresh: 5,
} as const;

/** Octets of marker, length and type. */
export const HEADER_OCTETS = 19;

/** Largest message without RFC 8654, octets. */
export const MAX_MESSAGE_OCTETS = 4096;
/** Largest message that both sides may send once they have announced RFC 8654, octets; OPEN and KEEPALIVE excepted. */
export const MAX_EXTENDED_OCTETS = 65_535;

const MARKER_OCTETS = 16;

/** Smallest whole message by type, octets. RFC 4271 section 6.1, RFC 2918 section 3. */
const MIN_OCTETS: Readonly<Record<number, number>> = {
  [MessageType.Open]: 29,
  [MessageType.Update]: 23,
  [MessageType.Notification]: 21,
  [MessageType.Keepalive]: HEADER_OCTETS,
  [MessageType.RouteRefresh]: 23,
};

/**
 * Puts the header before a body. RFC 4271 section 4.1.
 *
 *   +-----------------------+------------+----------+
 *   | Marker (16), all ones | Length (2) | Type (1) |   Length includes the header.
 *   +-----------------------+------------+----------+
 */
export function encodeMessage(type: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Writer();
  for (let i = 0; i < MARKER_OCTETS / 4; i += 1) message.u32(0xffff_ffff);
  return message
    .u16(HEADER_OCTETS + body.length)
    .u8(type)
    .bytes(body)
    .finish();
}

/** A KEEPALIVE: the header alone. RFC 4271 section 4.4. */
export function encodeKeepalive(): Uint8Array<ArrayBuffer> {
  return encodeMessage(MessageType.Keepalive, new Uint8Array(0));
}

/**
 * Checks the header at `at`. RFC 4271 section 6.1.
 *
 * @param bytes Holds at least {@link HEADER_OCTETS} octets from `at`.
 * @param extended Whether extended messages were negotiated (RFC 8654).
 * @returns Length of the whole message, octets.
 * @throws {BgpError} 1/1, 1/2 with the length, or 1/3 with the type.
 */
export function checkHeader(bytes: Uint8Array, at: number, extended = false): number {
  for (let i = at; i < at + MARKER_OCTETS; i += 1) {
    if (bytes[i] !== 0xff) {
      throw headerError(HeaderSubcode.ConnectionNotSynchronized, [], 'marker is not all ones');
    }
  }
  const high = bytes[at + 16] ?? 0;
  const low = bytes[at + 17] ?? 0;
  const type = bytes[at + 18] ?? 0;
  const length = (high << 8) | low;
  const min = MIN_OCTETS[type];
  if (length < HEADER_OCTETS || length > largest(type, extended)) {
    throw headerError(HeaderSubcode.BadMessageLength, [high, low], `message length ${length}`);
  }
  if (min === undefined) {
    throw headerError(HeaderSubcode.BadMessageType, [type], `message type ${type}`);
  }
  if (length < min || (type === MessageType.Keepalive && length > min)) {
    const reason = `message type ${type} with length ${length}`;
    throw headerError(HeaderSubcode.BadMessageLength, [high, low], reason);
  }
  return length;
}

function largest(type: number, extended: boolean): number {
  const isExempt = type === MessageType.Open || type === MessageType.Keepalive;
  return extended && !isExempt ? MAX_EXTENDED_OCTETS : MAX_MESSAGE_OCTETS;
}

function headerError(subcode: number, data: readonly number[], reason: string): BgpError {
  const fault = { code: ErrorCode.MessageHeader, subcode, data: Uint8Array.from(data) };
  return new BgpError(fault, reason);
}
