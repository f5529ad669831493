import {
  ADDRESS_OCTETS,
  addressBytes,
  addressFromBytes,
  familyOf,
  type IpAddress,
  isLinkLocal,
} from '@overland/net';

/** What a next-hop field says. */
export interface NextHopField {
  /** The global address, or the link-local one if there is no other. */
  readonly address: IpAddress;
  /** The link-local address beside a global one. RFC 2545 section 3. */
  readonly linkLocal: IpAddress | undefined;
}

/**
 * How a next hop that has a link-local address alone is written: `native` is the unspecified address and the link-local one, as
 * RFC 2545 read to the letter wants it; `single` is 16 octets; `double` is the link-local one twice. BIRD's words.
 */
export type LinkLocalFormat = 'native' | 'single' | 'double';

const UNSPECIFIED = addressFromBytes(new Uint8Array(ADDRESS_OCTETS.ipv6));

/**
 * Reads a next hop in any of its forms. RFC 4271 section 5.1.3, RFC 2545 section 3, RFC 8950 section 3.
 *
 * @param octets 4, 16 or 32.
 */
export function readNextHop(octets: Uint8Array): NextHopField {
  const width = ADDRESS_OCTETS.ipv6;
  const first = addressFromBytes(octets.subarray(0, Math.min(octets.length, width)));
  const second = octets.length > width ? addressFromBytes(octets.subarray(width)) : undefined;
  const linkLocal = second !== undefined && isLinkLocal(second) ? second : undefined;
  if (linkLocal === undefined || isScoped(first)) return { address: first, linkLocal: undefined };
  if (first === UNSPECIFIED) return { address: linkLocal, linkLocal: undefined };
  return { address: first, linkLocal };
}

/** The octets of a next hop that is nothing but a link-local address. */
export function linkLocalNextHop(address: IpAddress, format: LinkLocalFormat): Uint8Array {
  const octets = addressBytes(address);
  if (format === 'single') return octets;
  const field = new Uint8Array(2 * octets.length);
  if (format === 'double') field.set(octets);
  field.set(octets, octets.length);
  return field;
}

/** Whether an address means something on one link only: IPv6 link-local. */
export function isScoped(address: IpAddress): boolean {
  return familyOf(address) === 'ipv6' && isLinkLocal(address);
}

/** Whether others can be told the address: it is neither link-local nor unspecified. */
export function isGlobal(address: IpAddress): boolean {
  return !isScoped(address) && address !== UNSPECIFIED;
}
