import { addressFromBytes, type IpAddress, isLinkLocal } from '@overland/net';
import { Writer } from '../wire/writer.ts';

/** ICMPv6 types. RFC 4861 section 4. */
export const DiscoveryType = { routerSolicitation: 133, routerAdvertisement: 134 } as const;

/** What a neighbour says or asks. */
export type RouterMessage =
  | {
      readonly type: 'advertisement';
      readonly source: IpAddress;
      /** 0: not, or no longer, a router. */
      readonly lifetimeSeconds: number;
    }
  | { readonly type: 'solicitation' };

const SOURCE_LINK_LAYER_ADDRESS = 1;
const ETHERNET_OCTETS = 6;
const OPTION_UNIT_OCTETS = 8;
/** Prf: low. A host that takes default routes from advertisements has us as its last choice. RFC 4191 section 2.2. */
const LOW_PREFERENCE = 0b11 << 3;
const CUR_HOP_LIMIT = 64;

const IPV6_HEADER_OCTETS = 40;
const ICMPV6 = 58;
const HOP_LIMIT = 255;
const ADVERTISEMENT_OCTETS = 16;
const SOLICITATION_OCTETS = 8;

/**
 * Encodes a Router Advertisement, without its checksum: the kernel's to put in. RFC 4861 section 4.2, RFC 4191 section 2.2.
 *
 *   +----------+----------+--------------+-------------------+-----------+---------------------+--------------------+-----------------+
 *   | Type (1) | Code (1) | Checksum (2) | Cur Hop Limit (1) | Flags (1) | Router Lifetime (2) | Reachable Time (4) | Retrans Timer (4) |
 *   +----------+----------+--------------+-------------------+-----------+---------------------+--------------------+-----------------+
 *
 * @param lifetimeSeconds 0..65535; 0: we are no longer there.
 * @param mac Link-layer address; nothing is said of one that is not Ethernet's.
 */
export function encodeAdvertisement(lifetimeSeconds: number, mac: Uint8Array): Uint8Array {
  const writer = new Writer().u8(DiscoveryType.routerAdvertisement).u8(0).u16(0);
  writer.u8(CUR_HOP_LIMIT).u8(LOW_PREFERENCE).u16(lifetimeSeconds).u32(0).u32(0);
  putLinkLayerAddress(writer, mac);
  return writer.finish();
}

/** Encodes a Router Solicitation, likewise. RFC 4861 section 4.1. */
export function encodeSolicitation(mac: Uint8Array): Uint8Array {
  const writer = new Writer().u8(DiscoveryType.routerSolicitation).u8(0).u16(0).u32(0);
  putLinkLayerAddress(writer, mac);
  return writer.finish();
}

function putLinkLayerAddress(writer: Writer, mac: Uint8Array): void {
  if (mac.length !== ETHERNET_OCTETS) return;
  writer.u8(SOURCE_LINK_LAYER_ADDRESS).u8(1).bytes(mac);
}

/**
 * Reads an IPv6 packet with a message of router discovery.
 *
 * @returns `undefined` for whatever RFC 4861 sections 6.1.1 and 6.1.2 want to be discarded without a word.
 */
export function decodeRouterMessage(packet: Uint8Array): RouterMessage | undefined {
  if (packet.length < IPV6_HEADER_OCTETS + SOLICITATION_OCTETS) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const length = view.getUint16(4);
  if (view.getUint8(0) >> 4 !== 6 || IPV6_HEADER_OCTETS + length > packet.length) return undefined;
  if (view.getUint8(6) !== ICMPV6 || view.getUint8(7) !== HOP_LIMIT) return undefined;
  const message = packet.subarray(IPV6_HEADER_OCTETS, IPV6_HEADER_OCTETS + length);
  if (message[1] !== 0 || !isSumRight(packet, message)) return undefined;
  const source = addressFromBytes(packet.subarray(8, 24));
  if (message[0] === DiscoveryType.routerSolicitation) {
    return hasOptions(message, SOLICITATION_OCTETS) ? { type: 'solicitation' } : undefined;
  }
  if (message[0] !== DiscoveryType.routerAdvertisement || !isLinkLocal(source)) return undefined;
  if (!hasOptions(message, ADVERTISEMENT_OCTETS)) return undefined;
  const lifetimeSeconds = view.getUint16(IPV6_HEADER_OCTETS + 6);
  return { type: 'advertisement', source, lifetimeSeconds };
}

/** Whether nothing but whole options follows the first octets of a message: RFC 4861 section 4.6. */
function hasOptions(message: Uint8Array, from: number): boolean {
  let at = from;
  while (at < message.length) {
    const octets = (message[at + 1] ?? 0) * OPTION_UNIT_OCTETS;
    if (octets === 0) return false;
    at += octets;
  }
  return at === message.length;
}

/** RFC 4443 section 2.3: over a pseudo-header, and over the message with its checksum, the sum is all ones. */
function isSumRight(packet: Uint8Array, message: Uint8Array): boolean {
  let sum =
    message.length + ICMPV6 + sumOf(packet.subarray(8, IPV6_HEADER_OCTETS)) + sumOf(message);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return sum === 0xffff;
}

function sumOf(octets: Uint8Array): number {
  return octets.reduce((sum, octet, i) => sum + (i % 2 === 0 ? octet << 8 : octet), 0);
}
