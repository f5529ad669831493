import {
  ADDRESS_BITS,
  addressBytes,
  addressFromBytes,
  familyOf,
  ParseError,
  parseAddress,
  parsePrefix,
  prefixBytes,
} from '@overland/net';

/** A member of a set of ipset in binary. */
interface IpSetMember {
  readonly octets: Uint8Array;
  /** Of a prefix, in bits; absent: the full length. */
  readonly length?: number | undefined;
  readonly protocol?: number | undefined;
  readonly port?: number | undefined;
}

const PORT = /^([^,]+),(\d{1,3}):(\d{1,5})$/;

/** @throws {ParseError} If the text is neither an address, nor a prefix, nor an address with protocol and port. */
export function parseMember(text: string): IpSetMember {
  const [, address, protocol, port] = PORT.exec(text) ?? [];
  if (address === undefined) return prefixBytes(parsePrefix(text));
  const member = { protocol: Number(protocol), port: Number(port) };
  if (member.protocol > 255 || member.port > 65_535) {
    throw new ParseError('set member', text, 'an address, a protocol and a port: 10.65.0.1,6:80');
  }
  return { octets: addressBytes(parseAddress(address)), ...member };
}

/** The canonical text, the inverse of {@link parseMember}. */
export function memberText({ octets, length, protocol, port }: IpSetMember): string {
  const address = addressFromBytes(octets);
  if (port !== undefined) return `${address},${protocol}:${port}`;
  const isSingle = length === undefined || length === ADDRESS_BITS[familyOf(address)];
  return isSingle ? address : `${address}/${length}`;
}
