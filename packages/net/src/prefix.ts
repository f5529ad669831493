import {
  addressBytes,
  addressFromBigInt,
  addressFromBytes,
  addressToBigInt,
  compareAddresses,
  type IpAddress,
} from './address.ts';
import { parseIpv4, parseIpv6 } from './address-text.ts';
import type { Brand } from './brand.ts';
import { ADDRESS_BITS, type Family, familyOf } from './family.ts';
import { ParseError } from './parse-error.ts';

/** IPv4 or IPv6 prefix in canonical text, host bits zero: `10.65.0.0/26`. Safe as a Map key. */
export type Prefix = Brand<string, 'Prefix'>;

/** An address with the length of its subnet, host bits kept: `10.1.0.1/31`. As `ip addr` shows it. */
export interface InterfaceAddress {
  readonly address: IpAddress;
  /** Prefix length in bits. */
  readonly length: number;
}

/**
 * Parses a prefix. A bare address is a host prefix (/32 or /128).
 *
 * @throws {ParseError} If it is malformed or has host bits set: `10.0.0.1/24` is more often a mistake
 *   than a wish. Use {@link prefixOf} to mask on purpose.
 */
export function parsePrefix(text: string): Prefix {
  const { octets, length } = splitPrefix(text);
  if (!hasHostBits(octets, length)) return canonical(text, octets, length);
  const prefix = prefixFromBytes(octets, length);
  throw new ParseError('prefix', text, `no bits set past the length, as in ${prefix}`);
}

/**
 * Parses a prefix; host bits are cleared. A bare address is a host prefix.
 *
 * @throws {ParseError} If it is malformed.
 */
export function parseLoosePrefix(text: string): Prefix {
  const { octets, length } = splitPrefix(text);
  if (!hasHostBits(octets, length)) return canonical(text, octets, length);
  return prefixFromBytes(octets, length);
}

/** Of IPv4 no other spelling can be parsed: nothing need be made of it, also where thousands are read. */
function canonical(text: string, octets: Uint8Array, length: number): Prefix {
  const isCanonical = octets.length === 4 && text.includes('/');
  return isCanonical ? (text as Prefix) : prefixFromBytes(octets, length);
}

function hasHostBits(octets: Uint8Array, length: number): boolean {
  const whole = length >> 3;
  if (((octets[whole] ?? 0) & (0xff >> (length & 7))) !== 0) return true;
  for (let i = whole + 1; i < octets.length; i++) if (octets[i] !== 0) return true;
  return false;
}

/**
 * Parses an interface address: `10.1.0.1/31`. A bare address has the full length.
 *
 * @throws {ParseError} If it is malformed.
 */
export function parseInterfaceAddress(text: string): InterfaceAddress {
  const { octets, length } = splitPrefix(text);
  return { address: addressFromBytes(octets), length };
}

function splitPrefix(text: string): { octets: Uint8Array; length: number } {
  const slash = text.indexOf('/');
  const addressText = slash < 0 ? text : text.slice(0, slash);
  const family = familyOf(addressText);
  const max = ADDRESS_BITS[family];
  const length = slash < 0 ? max : lengthFromText(text.slice(slash + 1));
  const octets = family === 'ipv4' ? parseIpv4(addressText) : parseIpv6(addressText);
  if (octets === undefined || Number.isNaN(length) || length > max) {
    const example = family === 'ipv4' ? '10.65.0.0/26' : '2001:db8::/122';
    throw new ParseError(
      'prefix',
      text,
      `ADDRESS/LENGTH with a length of 0 to ${max}, as ${example}`,
    );
  }
  return { octets, length };
}

function lengthFromText(text: string): number {
  return /^(0|[1-9]\d{0,2})$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * The prefix of the given length that holds `address`; host bits are cleared.
 *
 * @param length In bits.
 * @throws {RangeError} If `length` does not fit the family.
 */
export function prefixOf(address: IpAddress, length: number): Prefix {
  return prefixFromBytes(addressBytes(address), length);
}

/** The /32 or /128 of one address. */
export function hostPrefix(address: IpAddress): Prefix {
  return `${address}/${ADDRESS_BITS[familyOf(address)]}` as Prefix;
}

/**
 * Builds the canonical prefix from network-order octets.
 *
 * @param octets 4 or 16 bytes. Host bits are cleared, not rejected.
 * @param length Prefix length in bits.
 * @throws {RangeError} If `length` is out of range, or the octets are neither 4 nor 16.
 */
export function prefixFromBytes(octets: Uint8Array, length: number): Prefix {
  if (!Number.isInteger(length) || length < 0 || length > octets.length * 8) {
    throw new RangeError(`a prefix length of ${length} does not fit ${octets.length} octets`);
  }
  const masked = new Uint8Array(octets); // not slice(): that of a Buffer is a view
  const whole = length >> 3;
  if (whole < masked.length) {
    masked[whole] = (masked[whole] ?? 0) & (0xff00 >> (length & 7));
    masked.fill(0, whole + 1);
  }
  return `${addressFromBytes(masked)}/${length}` as Prefix;
}

/** The first address of the prefix, all host bits zero. */
export function networkAddress(prefix: Prefix): IpAddress {
  return prefix.slice(0, prefix.indexOf('/')) as IpAddress;
}

/** Prefix length in bits. */
export function prefixLength(prefix: Prefix): number {
  return Number(prefix.slice(prefix.indexOf('/') + 1));
}

/** Whether the prefix covers exactly one address. */
export function isHostPrefix(prefix: Prefix): boolean {
  return prefixLength(prefix) === ADDRESS_BITS[familyOf(prefix)];
}

/** Number of addresses in the prefix. */
export function prefixSize(prefix: Prefix): bigint {
  return 1n << BigInt(ADDRESS_BITS[familyOf(prefix)] - prefixLength(prefix));
}

/** Whether `inner` (an address or a prefix) lies wholly inside `outer`. A prefix contains itself. */
export function contains(outer: Prefix, inner: IpAddress | Prefix): boolean {
  if (familyOf(outer) !== familyOf(inner)) return false;
  const slash = inner.indexOf('/');
  const address = (slash < 0 ? inner : inner.slice(0, slash)) as IpAddress;
  const innerLength = slash < 0 ? ADDRESS_BITS[familyOf(inner)] : Number(inner.slice(slash + 1));
  const outerLength = prefixLength(outer);
  return innerLength >= outerLength && prefixOf(address, outerLength) === outer;
}

/** Whether the two prefixes share an address. */
export function overlaps(a: Prefix, b: Prefix): boolean {
  return contains(a, b) || contains(b, a);
}

/**
 * The address at `ordinal` within the prefix, counted from its network address.
 *
 * @throws {RangeError} If the prefix has no such address.
 */
export function addressAt(prefix: Prefix, ordinal: number | bigint): IpAddress {
  const offset = BigInt(ordinal);
  if (offset < 0n || offset >= prefixSize(prefix)) {
    throw new RangeError(`${prefix} has no address number ${ordinal}`);
  }
  return addressFromBigInt(familyOf(prefix), addressToBigInt(networkAddress(prefix)) + offset);
}

/**
 * The inverse of {@link addressAt}.
 *
 * @throws {RangeError} If the address is not in the prefix.
 */
export function ordinalOf(prefix: Prefix, address: IpAddress): bigint {
  if (!contains(prefix, address)) throw new RangeError(`${address} is not in ${prefix}`);
  return addressToBigInt(address) - addressToBigInt(networkAddress(prefix));
}

/**
 * Number of subnets of `length` bits in the prefix; 0 if it is already longer.
 *
 * @throws {RangeError} If `length` does not fit the family.
 */
export function subnetCount(prefix: Prefix, length: number): bigint {
  const max = ADDRESS_BITS[familyOf(prefix)];
  if (!Number.isInteger(length) || length < 0 || length > max) {
    throw new RangeError(`a subnet of ${prefix} cannot have a length of ${length}`);
  }
  const bits = length - prefixLength(prefix);
  return bits < 0 ? 0n : 1n << BigInt(bits);
}

/**
 * The subnet at `index`, counted from the network address.
 *
 * @param length Of the subnet, in bits.
 * @throws {RangeError} If there is no such subnet.
 */
export function subnetAt(prefix: Prefix, length: number, index: bigint): Prefix {
  if (index < 0n || index >= subnetCount(prefix, length)) {
    throw new RangeError(`${prefix} has no /${length} number ${index}`);
  }
  const family = familyOf(prefix);
  const start = addressToBigInt(networkAddress(prefix));
  const step = BigInt(ADDRESS_BITS[family] - length);
  return prefixOf(addressFromBigInt(family, start + (index << step)), length);
}

/** Orders prefixes by address, then shorter first; IPv4 before IPv6. For `toSorted`. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  return (
    compareAddresses(networkAddress(a), networkAddress(b)) || prefixLength(a) - prefixLength(b)
  );
}

/** The prefix in binary: network-order octets and the length in bits. */
export function prefixBytes(prefix: Prefix): {
  readonly family: Family;
  readonly octets: Uint8Array<ArrayBuffer>;
  readonly length: number;
} {
  return {
    family: familyOf(prefix),
    octets: addressBytes(networkAddress(prefix)),
    length: prefixLength(prefix),
  };
}

/** `10.1.0.1/31`, the inverse of {@link parseInterfaceAddress}. */
export function formatInterfaceAddress({ address, length }: InterfaceAddress): string {
  return `${address}/${length}`;
}
