import { formatIpv6, parseIpv4, parseIpv6 } from './address-text.ts';
import type { Brand } from './brand.ts';
import { ADDRESS_BITS, ADDRESS_OCTETS, type Family, familyOf } from './family.ts';
import { ParseError } from './parse-error.ts';

/**
 * IPv4 or IPv6 address in canonical text: `10.65.0.2`, `2001:db8::1` (RFC 5952). Safe as a Map key.
 * Never carries a zone; an IPv4-mapped IPv6 address keeps its IPv6 form.
 */
export type IpAddress = Brand<string, 'IpAddress'>;

/**
 * Parses an address in any usual spelling and returns its canonical form.
 *
 * @throws {ParseError} If `text` is not an address. Leading zeros in IPv4 are refused, as inet_pton does.
 */
export function parseAddress(text: string): IpAddress {
  const octets = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  if (!octets) throw new ParseError('IP address', text, 'an IPv4 or IPv6 address without a zone');
  return addressFromBytes(octets);
}

/** Whether `text` is an address; see {@link parseAddress}. */
export function isAddress(text: string): boolean {
  return (text.includes(':') ? parseIpv6(text) : parseIpv4(text)) !== undefined;
}

/**
 * Builds the canonical address from network-order octets.
 *
 * @param octets 4 (IPv4) or 16 (IPv6) bytes; copied.
 * @throws {RangeError} If there are neither 4 nor 16.
 */
export function addressFromBytes(octets: Uint8Array): IpAddress {
  if (octets.length === 4) {
    const [a, b, c, d] = octets;
    return `${a}.${b}.${c}.${d}` as IpAddress;
  }
  if (octets.length === 16) return formatIpv6(octets) as IpAddress;
  throw new RangeError(`an address has 4 or 16 octets, not ${octets.length}`);
}

/** The address in network order: 4 or 16 fresh bytes. */
export function addressBytes(address: IpAddress): Uint8Array<ArrayBuffer> {
  const octets = address.includes(':') ? parseIpv6(address) : parseIpv4(address);
  if (!octets) throw new RangeError(`${address} was not made by parseAddress`);
  return octets;
}

/** The address as an unsigned integer, for arithmetic. */
export function addressToBigInt(address: IpAddress): bigint {
  let value = 0n;
  for (const octet of addressBytes(address)) value = (value << 8n) | BigInt(octet);
  return value;
}

/**
 * The inverse of {@link addressToBigInt}.
 *
 * @throws {RangeError} If `value` is negative or does not fit the family.
 */
export function addressFromBigInt(family: Family, value: bigint): IpAddress {
  if (value < 0n || value >> BigInt(ADDRESS_BITS[family]) !== 0n) {
    throw new RangeError(`${value} is no ${family} address`);
  }
  const octets = new Uint8Array(ADDRESS_OCTETS[family]);
  let rest = value;
  for (let i = octets.length - 1; i >= 0; i--) {
    octets[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return addressFromBytes(octets);
}

/** Orders addresses numerically, IPv4 before IPv6. For `toSorted`. */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  if (familyOf(a) !== familyOf(b)) return familyOf(a) === 'ipv4' ? -1 : 1;
  const [left, right] = [addressToBigInt(a), addressToBigInt(b)];
  return left < right ? -1 : Number(left > right);
}

/** Whether the address is link-local: 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291). */
export function isLinkLocal(address: IpAddress): boolean {
  const [first = 0, second = 0] = addressBytes(address);
  return familyOf(address) === 'ipv4'
    ? first === 169 && second === 254
    : first === 0xfe && (second & 0xc0) === 0x80;
}
