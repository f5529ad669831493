import {
  AttributeCode,
  AttributeCursor,
  AttributeFlag,
  attributeType,
  readU32,
  writeAttributeHeader,
  writeU32,
} from './attribute-set.ts';
import type { BgpRole } from './role.ts';

export const ONLY_TO_CUSTOMER = attributeType(
  AttributeFlag.Optional | AttributeFlag.Transitive,
  AttributeCode.OnlyToCustomer,
);
/** The attribute with its header. */
const OCTETS = 7;

/** An attribute set that may grow: the first `length` octets. */
interface GrowingSet {
  readonly octets: Uint8Array;
  length: number;
}

const cursor = new AttributeCursor();

/**
 * Does what RFC 9234 section 5 asks for a route that comes in: what comes down or sideways is marked with the peer's AS
 * number, so that whoever it is passed on to knows.
 *
 * @param set A well-formed attribute set, with room for another attribute.
 * @param own Our role towards the peer.
 * @returns Whether the route is a leak, and may not be used: it has come up from a customer, or sideways from a peer, though
 *   it was marked.
 */
export function receiveOnlyToCustomer(set: GrowingSet, own: BgpRole, peerAsn: number): boolean {
  cursor.start(set.octets, 0, set.length);
  let at = set.length;
  let before = 0;
  while (cursor.next()) {
    if (cursor.code === AttributeCode.OnlyToCustomer) {
      const isFromBelow = own === 'provider' || own === 'rs';
      return isFromBelow || (own === 'peer' && readU32(cursor.bytes, cursor.from) !== peerAsn);
    }
    if (cursor.code > AttributeCode.OnlyToCustomer) {
      at = before;
      break;
    }
    before = cursor.to;
  }
  if (own === 'customer' || own === 'peer' || own === 'rs-client') insert(set, at, peerAsn);
  return false;
}

function insert(set: GrowingSet, at: number, asn: number): void {
  set.octets.copyWithin(at + OCTETS, at, set.length);
  writeU32(set.octets, writeAttributeHeader(set.octets, at, ONLY_TO_CUSTOMER, 4), asn);
  set.length += OCTETS;
}
