import type { Family } from '@overland/net';
import { familyFrom } from './address-family.ts';
import { ErrorCode } from './bgp-error.ts';
import { Reader } from './reader.ts';

const INVALID_MESSAGE_LENGTH = { code: ErrorCode.RouteRefresh, subcode: 1 };

/**
 * Decodes a ROUTE-REFRESH. RFC 2918 section 3.
 *
 *   +---------+---------------+----------+
 *   | AFI (2) | Subtype (1)   | SAFI (1) |   Outbound filters (RFC 5291) may follow; we offer none, so skip them.
 *   +---------+---------------+----------+
 *
 * @returns The family to send again; `undefined` for a family or a subtype (RFC 7313) that we did not offer: ignore it.
 * @throws {BgpError} 7/1, if it is too short.
 */
export function decodeRouteRefresh(body: Uint8Array): Family | undefined {
  const reader = new Reader(body, INVALID_MESSAGE_LENGTH);
  const afi = reader.u16();
  const subtype = reader.u8();
  const family = familyFrom(afi, reader.u8());
  return subtype === 0 ? family : undefined;
}
