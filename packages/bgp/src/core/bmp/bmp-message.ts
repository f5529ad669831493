import { addressBytes, type IpAddress } from '@overland/net';
import { utf8Of } from '../wire/utf8.ts';
import { Writer } from '../wire/writer.ts';

const VERSION = 3;
/** Octets of the common header. */
const COMMON_OCTETS = 6;
/** Octets of the per-peer header. */
const PER_PEER_OCTETS = 42;
/** Octets before the UPDATE of a Route Monitoring message. */
export const ROUTE_MONITORING_OCTETS = COMMON_OCTETS + PER_PEER_OCTETS;

/** RFC 7854 section 4.1. */
const MessageType = {
  RouteMonitoring: 0,
  StatisticsReport: 1,
  PeerDown: 2,
  PeerUp: 3,
  Initiation: 4,
  Termination: 5,
} as const;

/** RFC 7854 section 4.2, RFC 9069 section 4. */
const PeerType = { Global: 0, LocRib: 3 } as const;

const FLAG_IPV6 = 0x80;
const FLAG_POST_POLICY = 0x40;
/** Adj-RIB-Out. RFC 8671 section 4. */
const FLAG_OUT = 0x10;

const RIB_FLAGS: Readonly<Record<BmpRib, number>> = {
  'pre-policy': 0,
  'post-policy': FLAG_POST_POLICY,
  'loc-rib': 0,
  'out-pre-policy': FLAG_OUT,
  'out-post-policy': FLAG_OUT | FLAG_POST_POLICY,
};

/** RFC 7854 section 4.4. */
const InformationType = { String: 0, SystemDescription: 1, SystemName: 2 } as const;
/** RFC 7854 section 4.5. */
const TERMINATION_REASON = 1;

/** Why a station is left. RFC 7854 section 4.5. */
export const TerminationReason = { AdministrativelyClosed: 0, Unspecified: 1 } as const;

/** Of which RIB a message speaks. */
export type BmpRib =
  | 'pre-policy'
  | 'post-policy'
  | 'loc-rib'
  | 'out-pre-policy'
  | 'out-post-policy';

/** Whom a message is about. Of the Loc-RIB it is the speaker itself, and `address` is not looked at. */
export interface BmpPeer {
  readonly rib: BmpRib;
  readonly address: IpAddress;
  readonly asn: number;
  readonly routerId: IpAddress;
  /** UNIX time, milliseconds. */
  readonly timeMs: number;
}

/** How a session came about. RFC 7854 section 4.10. */
export interface BmpPeerUp {
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remotePort: number;
  /** Whole BGP messages. */
  readonly openSent: Uint8Array;
  readonly openReceived: Uint8Array;
}

/** How a session ended. RFC 7854 section 4.9. */
export type BmpPeerDown =
  | { readonly by: 'us' | 'peer'; readonly notification: Uint8Array }
  /** We closed without a NOTIFICATION. */
  | { readonly by: 'us'; readonly fsmEvent: number }
  /** TCP was lost, or closed without a word. */
  | { readonly by: 'peer' }
  /** It is monitored no longer, or not configured any more. */
  | { readonly by: 'configuration' };

/** A counter or gauge. RFC 7854 section 4.8. */
export interface BmpStatistic {
  readonly type: number;
  readonly value: number;
  /** Octets of the value: counters have 4, gauges 8. */
  readonly octets: 4 | 8;
  /** Of gauges for one address family. */
  readonly afi?: number;
}

/** The first message. RFC 7854 section 4.3. */
export function encodeInitiation(systemName: string, systemDescription: string): Uint8Array {
  const writer = begin(MessageType.Initiation);
  writeText(writer, InformationType.SystemDescription, systemDescription);
  writeText(writer, InformationType.SystemName, systemName);
  return finish(writer);
}

/** The last message. RFC 7854 section 4.5. */
export function encodeTermination(reason: number, text: string): Uint8Array {
  const writer = begin(MessageType.Termination);
  writeText(writer, InformationType.String, text);
  writer.u16(TERMINATION_REASON).u16(2).u16(reason);
  return finish(writer);
}

/**
 * A session is up. RFC 7854 section 4.10. Without a name of the table, which RFC 9069 section 4.4 leaves open where none is
 * configured: Wireshark up to 4.0 takes what is behind the OPENs for another one.
 */
export function encodePeerUp(peer: BmpPeer, up: BmpPeerUp): Uint8Array {
  const writer = begin(MessageType.PeerUp);
  writePeer(writer, peer);
  if (peer.rib === 'loc-rib') writer.bytes(new Uint8Array(16)).u16(0).u16(0);
  else writeAddress(writer, up.localAddress).u16(up.localPort).u16(up.remotePort);
  writer.bytes(up.openSent).bytes(up.openReceived);
  return finish(writer);
}

/** A session is over. RFC 7854 section 4.9. */
export function encodePeerDown(peer: BmpPeer, down: BmpPeerDown): Uint8Array {
  const writer = begin(MessageType.PeerDown);
  writePeer(writer, peer);
  if (down.by === 'configuration') writer.u8(5);
  else if ('notification' in down) writer.u8(down.by === 'us' ? 1 : 3).bytes(down.notification);
  else if ('fsmEvent' in down) writer.u8(2).u16(down.fsmEvent);
  else writer.u8(4);
  return finish(writer);
}

/** RFC 7854 section 4.8. */
export function encodeStatistics(peer: BmpPeer, statistics: readonly BmpStatistic[]): Uint8Array {
  const writer = begin(MessageType.StatisticsReport);
  writePeer(writer, peer);
  writer.u32(statistics.length);
  for (const { type, value, octets, afi } of statistics) {
    writer.u16(type).u16(octets + (afi === undefined ? 0 : 3));
    if (afi !== undefined) writer.u16(afi).u8(1);
    if (octets === 8) writer.u32(Math.floor(value / 2 ** 32));
    writer.u32(value % 2 ** 32);
  }
  return finish(writer);
}

/** What stands before an UPDATE of so many octets. RFC 7854 section 4.6. */
export function encodeRouteMonitoring(peer: BmpPeer, updateOctets: number): Uint8Array {
  const writer = begin(MessageType.RouteMonitoring);
  writePeer(writer, peer);
  writer.patchU32(1, writer.length + updateOctets);
  return writer.finish();
}

/**
 *   +-------------+------------+----------+
 *   | Version (1) | Length (4) | Type (1) |   Length is that of the whole message.
 *   +-------------+------------+----------+
 */
function begin(type: number): Writer {
  return new Writer().u8(VERSION).u32(0).u8(type);
}

function finish(writer: Writer): Uint8Array {
  writer.patchU32(1, writer.length);
  return writer.finish();
}

/**
 * RFC 7854 section 4.2.
 *
 *   +----------+-----------+--------------------+--------------+--------+------------+---------------+
 *   | Type (1) | Flags (1) | Distinguisher (8)  | Address (16) | AS (4) | BGP ID (4) | Timestamp (8) |
 *   +----------+-----------+--------------------+--------------+--------+------------+---------------+
 */
function writePeer(writer: Writer, { rib, address, asn, routerId, timeMs }: BmpPeer): void {
  const isLocRib = rib === 'loc-rib';
  const isIpv6 = !isLocRib && address.includes(':');
  const flags = (isIpv6 ? FLAG_IPV6 : 0) | RIB_FLAGS[rib];
  writer.u8(isLocRib ? PeerType.LocRib : PeerType.Global).u8(flags);
  writer.u32(0).u32(0);
  if (isLocRib) writer.bytes(new Uint8Array(16));
  else writeAddress(writer, address);
  writer.u32(asn).bytes(addressBytes(routerId));
  writer.u32(Math.floor(timeMs / 1000)).u32(Math.floor(timeMs % 1000) * 1000);
}

/** An IPv4 address stands behind twelve octets of zero. */
function writeAddress(writer: Writer, address: IpAddress): Writer {
  const octets = addressBytes(address);
  return writer.bytes(new Uint8Array(16 - octets.length)).bytes(octets);
}

function writeText(writer: Writer, type: number, text: string): void {
  const octets = utf8Of(text);
  writer.u16(type).u16(octets.length).bytes(octets);
}
