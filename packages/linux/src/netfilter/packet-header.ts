import { addressFromBytes } from '@overland/net';
import type { FlowTuple } from './flow-tuple.ts';

/** Whose packet it is, and how long. */
export interface PacketHeader extends FlowTuple {
  /** Of the whole packet, IP header included. */
  readonly octets: number;
}

const ICMP = 1;
const ICMPV6 = 58;
/** TCP, UDP, DCCP, SCTP, UDP-Lite: the first four octets are the ports. */
const WITH_PORTS = new Set([6, 17, 33, 132, 136]);
/** Extension headers that can be stepped over: hop-by-hop, routing, destination options. RFC 8200 section 4.1. */
const EXTENSIONS = new Set([0, 43, 60]);
const FRAGMENT = 44;
/** More than any honest packet has. */
const MAX_EXTENSIONS = 8;

/**
 * Reads whose packet this is from the first octets of it, the IP header onwards.
 *
 * @returns `undefined` if it is cut before the transport header, or is neither IPv4 nor IPv6. The ports of a fragment that
 *   is not the first are 0.
 */
export function readPacketHeader(octets: Uint8Array): PacketHeader | undefined {
  const version = (octets[0] ?? 0) >> 4;
  if (version === 4) return readIpv4(octets);
  return version === 6 ? readIpv6(octets) : undefined;
}

/** RFC 791 section 3.1. */
function readIpv4(octets: Uint8Array): PacketHeader | undefined {
  const headerOctets = ((octets[0] ?? 0) & 0xf) * 4;
  if (octets.length < 20 || headerOctets < 20) return undefined;
  const isLaterFragment = (u16(octets, 6) & 0x1fff) !== 0;
  const ends = {
    octets: u16(octets, 2),
    source: addressFromBytes(octets.subarray(12, 16)),
    destination: addressFromBytes(octets.subarray(16, 20)),
  };
  return withTransport(ends, octets[9] ?? 0, isLaterFragment ? undefined : octets, headerOctets);
}

/** RFC 8200 section 3. */
function readIpv6(octets: Uint8Array): PacketHeader | undefined {
  if (octets.length < 40) return undefined;
  const ends = {
    octets: 40 + u16(octets, 4),
    source: addressFromBytes(octets.subarray(8, 24)),
    destination: addressFromBytes(octets.subarray(24, 40)),
  };
  let next = octets[6] ?? 0;
  let at = 40;
  for (let i = 0; i < MAX_EXTENSIONS; i++) {
    if (next !== FRAGMENT && !EXTENSIONS.has(next)) break;
    if (octets.length < at + 8) return undefined;
    if (next === FRAGMENT && u16(octets, at + 2) >> 3 !== 0) {
      return withTransport(ends, octets[at] ?? 0, undefined, at);
    }
    const length = next === FRAGMENT ? 8 : ((octets[at + 1] ?? 0) + 1) * 8;
    next = octets[at] ?? 0;
    at += length;
  }
  return withTransport(ends, next, octets, at);
}

/** @param octets `undefined`: the transport header is in another fragment. */
function withTransport(
  ends: Pick<PacketHeader, 'source' | 'destination' | 'octets'>,
  protocol: number,
  octets: Uint8Array | undefined,
  at: number,
): PacketHeader | undefined {
  const tuple = { ...ends, protocol, sourcePort: 0, destinationPort: 0 };
  const isIcmp = protocol === ICMP || protocol === ICMPV6;
  if (octets === undefined || !(isIcmp || WITH_PORTS.has(protocol))) return tuple;
  if (octets.length < at + 4) return undefined;
  if (isIcmp) return { ...tuple, icmpType: octets[at] ?? 0, icmpCode: octets[at + 1] ?? 0 };
  return { ...tuple, sourcePort: u16(octets, at), destinationPort: u16(octets, at + 2) };
}

function u16(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
}
