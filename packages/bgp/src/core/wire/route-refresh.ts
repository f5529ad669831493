import type { Family } from '@overland/net';
import { afiOf, familyFrom, SAFI_UNICAST } from './address-family.ts';
import { BgpError, ErrorCode } from './bgp-error.ts';
import { encodeMessage, MessageType } from './header.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** What a ROUTE-REFRESH says, by its subtype: a request, and where the answer begins and ends. RFC 7313 section 3.2. */
const KINDS = ['request', 'begin', 'end'] as const;

export type RefreshKind = (typeof KINDS)[number];

export interface RouteRefresh {
  readonly kind: RefreshKind;
  readonly family: Family;
}

const BODY_OCTETS = 4;
const INVALID_MESSAGE_LENGTH = { code: ErrorCode.RouteRefresh, subcode: 1 };

/**
 * Encodes a ROUTE-REFRESH, whole with its header. RFC 2918 section 3, RFC 7313 section 3.2.
 *
 *   +---------+---------------+----------+
 *   | AFI (2) | Subtype (1)   | SAFI (1) |
 *   +---------+---------------+----------+
 */
export function encodeRouteRefresh({ kind, family }: RouteRefresh): Uint8Array<ArrayBuffer> {
  const body = new Writer().u16(afiOf(family)).u8(KINDS.indexOf(kind)).u8(SAFI_UNICAST);
  return encodeMessage(MessageType.RouteRefresh, body.finish());
}

/**
 * Decodes a ROUTE-REFRESH. Outbound filters (RFC 5291) may follow a request; we offer none, so skip them.
 *
 * @returns `undefined` for a family that we do not speak or a subtype that we do not know: ignore it (RFC 7313 section 5).
 * @throws {BgpError} 7/1 with the whole message, if its length is wrong.
 */
export function decodeRouteRefresh(body: Uint8Array): RouteRefresh | undefined {
  const reader = new Reader(body, INVALID_MESSAGE_LENGTH);
  const afi = reader.u16();
  const kind = KINDS[reader.u8()];
  const family = familyFrom(afi, reader.u8());
  if (kind !== undefined && kind !== 'request' && body.length !== BODY_OCTETS) {
    const data = encodeMessage(MessageType.RouteRefresh, body);
    const reason = `route refresh of ${body.length} octets instead of ${BODY_OCTETS}`;
    throw new BgpError({ ...INVALID_MESSAGE_LENGTH, data }, reason);
  }
  return kind && family && { kind, family };
}
