import { addressBytes, type IpAddress } from '@overland/net';

/** What a message was part of: TCP between us and a peer. */
export interface CapturedStream {
  readonly local: { readonly address: IpAddress; readonly port: number };
  readonly remote: { readonly address: IpAddress; readonly port: number };
}

/** Octets of one direction that lie together. */
export interface CapturedOctets {
  /** UNIX time, microseconds. */
  readonly timeMicros: number;
  readonly direction: 'sent' | 'received';
  readonly octets: Uint8Array;
}

const LINKTYPE_RAW = 101;
const SNAP_OCTETS = 65_535;
/** TCP payload of one packet: with the headers it stays below the length that an IP header can say. */
const MAX_PAYLOAD_OCTETS = 32_768;
const IP_HEADER_OCTETS = { 4: 20, 16: 40 } as const;
const TCP_HEADER_OCTETS = 20;
const TCP = 6;
const ACK_AND_PUSH = 0x18;
const HOP_LIMIT = 64;
const SEQUENCE_START = 1;

const BlockType = { Section: 0x0a0d_0d0a, Interface: 1, EnhancedPacket: 6 } as const;

/** The blocks that a file begins with: packets are IP, times are microseconds. draft-ietf-opsawg-pcapng section 4. */
export function pcapngHead(): Uint8Array<ArrayBuffer> {
  const section = new DataView(new ArrayBuffer(16));
  section.setUint32(0, 0x1a2b_3c4d, true);
  section.setUint16(4, 1, true);
  section.setBigInt64(8, -1n, true);
  const link = new DataView(new ArrayBuffer(8));
  link.setUint16(0, LINKTYPE_RAW, true);
  link.setUint32(4, SNAP_OCTETS, true);
  return join([
    block(BlockType.Section, new Uint8Array(section.buffer)),
    block(BlockType.Interface, new Uint8Array(link.buffer)),
  ]);
}

/**
 * Writes what went over one TCP connection as packets. The headers are made up, but for addresses, ports and the octets
 * that they count: sequence numbers begin with 1 where the capture does.
 */
export class PcapngWriter {
  readonly #stream: CapturedStream;
  readonly #next = { sent: SEQUENCE_START, received: SEQUENCE_START };

  constructor(stream: CapturedStream) {
    this.#stream = stream;
  }

  /** One block or several: a packet each. */
  packets({ timeMicros, direction, octets }: CapturedOctets): Uint8Array<ArrayBuffer> {
    const blocks: Uint8Array[] = [];
    for (let at = 0; at < octets.length; at += MAX_PAYLOAD_OCTETS) {
      const payload = octets.subarray(at, at + MAX_PAYLOAD_OCTETS);
      blocks.push(packetBlock(timeMicros, this.#packet(direction, payload)));
      this.#next[direction] = (this.#next[direction] + payload.length) >>> 0;
    }
    return join(blocks);
  }

  #packet(direction: CapturedOctets['direction'], payload: Uint8Array): Uint8Array {
    const { local, remote } = this.#stream;
    const [from, to] = direction === 'sent' ? [local, remote] : [remote, local];
    const segment = new Uint8Array(TCP_HEADER_OCTETS + payload.length);
    const tcp = new DataView(segment.buffer);
    const other = direction === 'sent' ? 'received' : 'sent';
    tcp.setUint16(0, from.port);
    tcp.setUint16(2, to.port);
    tcp.setUint32(4, this.#next[direction]);
    tcp.setUint32(8, this.#next[other]);
    tcp.setUint8(12, (TCP_HEADER_OCTETS / 4) << 4);
    tcp.setUint8(13, ACK_AND_PUSH);
    tcp.setUint16(14, 0xffff);
    segment.set(payload, TCP_HEADER_OCTETS);
    const addresses = [addressBytes(from.address), addressBytes(to.address)] as const;
    tcp.setUint16(16, checksum(segment, pseudoHeaderSum(addresses, segment.length)));
    return join([ipHeader(addresses, segment.length), segment]);
  }
}

type Addresses = readonly [source: Uint8Array, destination: Uint8Array];

/** RFC 791 section 3.1, or RFC 8200 section 3. */
function ipHeader([source, destination]: Addresses, payloadOctets: number): Uint8Array {
  const width = source.length === 4 ? 4 : 16;
  const octets = new Uint8Array(IP_HEADER_OCTETS[width]);
  const view = new DataView(octets.buffer);
  octets.set(source, octets.length - 2 * width);
  octets.set(destination, octets.length - width);
  if (width === 16) {
    view.setUint8(0, 0x60);
    view.setUint16(4, payloadOctets);
    view.setUint8(6, TCP);
    view.setUint8(7, HOP_LIMIT);
    return octets;
  }
  view.setUint8(0, 0x45);
  view.setUint16(2, octets.length + payloadOctets);
  view.setUint8(8, HOP_LIMIT);
  view.setUint8(9, TCP);
  view.setUint16(10, checksum(octets, 0));
  return octets;
}

/** Of the pseudo header that TCP's checksum begins with: RFC 9293 section 3.1. */
function pseudoHeaderSum(addresses: Addresses, length: number): number {
  return addresses.reduce((sum, address) => sum + wordSum(address), TCP + length);
}

/** RFC 1071. @param start What was summed up before. */
function checksum(octets: Uint8Array, start: number): number {
  let sum = start + wordSum(octets);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function wordSum(octets: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += ((octets[i] ?? 0) << 8) | (octets[i + 1] ?? 0);
  return sum;
}

function packetBlock(timeMicros: number, packet: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(20));
  head.setUint32(4, Math.floor(timeMicros / 2 ** 32), true);
  head.setUint32(8, timeMicros % 2 ** 32, true);
  head.setUint32(12, packet.length, true);
  head.setUint32(16, packet.length, true);
  return block(BlockType.EnhancedPacket, join([new Uint8Array(head.buffer), packet]));
}

/**
 *   +----------+------------+---------------------------+------------+
 *   | Type (4) | Length (4) | Body, to a multiple of 4  | Length (4) |
 *   +----------+------------+---------------------------+------------+
 */
function block(type: number, body: Uint8Array): Uint8Array {
  const length = 12 + 4 * Math.ceil(body.length / 4);
  const octets = new Uint8Array(length);
  const view = new DataView(octets.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  octets.set(body, 8);
  view.setUint32(length - 4, length, true);
  return octets;
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    octets.set(part, at);
    at += part.length;
  }
  return octets;
}
