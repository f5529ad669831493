import { addressFromBytes, type Family, type IpAddress } from '@overland/net';
import type { ConnectionTuple } from '../ports.ts';
import type { Attributes } from './message-reader.ts';

/** Numbers of linux/netfilter/nfnetlink_conntrack.h. */
export const TUPLE = { ip: 1, protocol: 2 } as const;
export const IP: Readonly<
  Record<Family, { readonly source: number; readonly destination: number }>
> = {
  ipv4: { source: 1, destination: 2 },
  ipv6: { source: 3, destination: 4 },
};
/** CTA_PROTO_*: number, ports, and of ICMP and ICMPv6 type and code. */
const PROTOCOL = {
  number: 1,
  sourcePort: 2,
  destinationPort: 3,
  icmpType: [5, 8],
  icmpCode: [6, 9],
} as const;

/** Reads CTA_TUPLE_ORIG or CTA_TUPLE_REPLY; `undefined`: it has no ends. */
export function readTuple(tuple: Attributes): ConnectionTuple | undefined {
  const addresses: IpAddress[] = [];
  let protocol = {};
  while (tuple.next()) {
    if (tuple.type === TUPLE.protocol) protocol = readProtocol(tuple.nested());
    if (tuple.type !== TUPLE.ip) continue;
    const ip = tuple.nested();
    while (ip.next()) {
      if (ip.length === 4 || ip.length === 16) addresses.push(addressFromBytes(ip.octets()));
    }
  }
  const [source, destination] = addresses;
  return source && destination && { source, destination, protocol: 0, ...protocol };
}

function readProtocol(fields: Attributes): Partial<ConnectionTuple> {
  const read: { -readonly [K in keyof ConnectionTuple]?: ConnectionTuple[K] } = {};
  while (fields.next()) {
    const { type } = fields;
    if (type === PROTOCOL.number) read.protocol = fields.octets()[0] ?? 0;
    else if (type === PROTOCOL.sourcePort) read.sourcePort = bigEndian(fields.octets());
    else if (type === PROTOCOL.destinationPort) read.destinationPort = bigEndian(fields.octets());
    else if (type === PROTOCOL.icmpType[0] || type === PROTOCOL.icmpType[1]) {
      read.icmpType = fields.octets()[0] ?? 0;
    } else if (type === PROTOCOL.icmpCode[0] || type === PROTOCOL.icmpCode[1]) {
      read.icmpCode = fields.octets()[0] ?? 0;
    }
  }
  return read;
}

function bigEndian([high = 0, low = 0]: Uint8Array): number {
  return (high << 8) | low;
}
