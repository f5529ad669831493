import { addressBytes, addressFromBytes, familyOf, type IpAddress } from '@overland/net';
import type { Neighbour } from '../ports.ts';
import { AF, NLM_F, RTM } from './constants.ts';
import type { DeviceNames } from './devices.ts';
import { macFromText, macText } from './mac.ts';
import { Attributes, type Message } from './message-reader.ts';
import { LITTLE_ENDIAN, type MessageWriter } from './message-writer.ts';

const NDMSG_OCTETS = 12;
const NDA = { destination: 1, linkLayer: 2 } as const;
const NUD_PERMANENT = 0x80;
const NTF_USE = 0x01;
const NTF_PROXY = 0x08;

/** NUD_* by bit. NUD_NOARP is left out: multicast and loopback mappings, not neighbours. */
const STATES: Readonly<Record<number, string>> = {
  0: 'none',
  1: 'incomplete',
  2: 'reachable',
  4: 'stale',
  8: 'delay',
  16: 'probe',
  32: 'failed',
  [NUD_PERMANENT]: 'permanent',
};

/**
 * Reads the body of RTM_NEWNEIGH or RTM_DELNEIGH. linux/neighbour.h, `struct ndmsg`:
 *
 *   +------------+---------+-----------+-----------+-----------+----------+
 *   | Family (1) | Pad (3) | Index (4) | State (2) | Flags (1) | Type (1) |
 *   +------------+---------+-----------+-----------+-----------+----------+
 *
 * @returns `undefined` for what is no IPv4 or IPv6 neighbour: bridge entries, multicast mappings, proxies.
 */
export function readNeighbour(message: Message, devices: DeviceNames): Neighbour | undefined {
  const { view, start, end } = message;
  const family = view.getUint8(start);
  if (family !== AF.ipv4 && family !== AF.ipv6) return undefined;
  if ((view.getUint8(start + 10) & NTF_PROXY) !== 0) return undefined;
  const state = STATES[view.getUint16(start + 8, LITTLE_ENDIAN)];
  const device = devices.nameOf(view.getInt32(start + 4, LITTLE_ENDIAN));
  if (state === undefined || device === undefined) return undefined;
  const { destination, linkLayer } = collect(new Attributes(message, start + NDMSG_OCTETS, end));
  if (destination === undefined) return undefined;
  const mac = linkLayer === undefined || linkLayer.length === 0 ? undefined : macText(linkLayer);
  return { device, address: addressFromBytes(destination), mac, state };
}

/** A proxy entry of a dump that {@link writeNeighbourDump} asked for with `proxies`. */
export interface ProxyEntry {
  readonly device: string;
  readonly address: IpAddress;
}

export function readProxy(message: Message, devices: DeviceNames): ProxyEntry | undefined {
  const { view, start, end } = message;
  const device = devices.nameOf(view.getInt32(start + 4, LITTLE_ENDIAN));
  const { destination } = collect(new Attributes(message, start + NDMSG_OCTETS, end));
  if (device === undefined || destination === undefined) return undefined;
  return { device, address: addressFromBytes(destination) };
}

function collect(attributes: Attributes) {
  let [destination, linkLayer]: (Uint8Array | undefined)[] = [];
  while (attributes.next()) {
    if (attributes.type === NDA.destination) destination = attributes.octets();
    else if (attributes.type === NDA.linkLayer) linkLayer = attributes.octets();
  }
  return { destination, linkLayer };
}

/** Neighbours and proxy entries are two tables: one dump gives one of them. */
export function writeNeighbourDump(writer: MessageWriter, proxies: boolean): void {
  writer.begin(RTM.getNeighbour, NLM_F.dump);
  writeHeader(writer, {
    family: AF.unspecified,
    index: 0,
    state: 0,
    flags: proxies ? NTF_PROXY : 0,
  });
  writer.end();
}

/** A permanent entry, which the kernel neither probes nor ages. */
export function writeNeighbourReplacement(
  writer: MessageWriter,
  index: number,
  address: IpAddress,
  mac: string,
): void {
  writer.begin(RTM.newNeighbour, NLM_F.create | NLM_F.replace);
  writeHeader(writer, { family: afOf(address), index, state: NUD_PERMANENT, flags: 0 });
  writer.attributeBytes(NDA.destination, addressBytes(address));
  writer.attributeBytes(NDA.linkLayer, macFromText(mac));
  writer.end();
}

export function writeProxyCreation(writer: MessageWriter, index: number, address: IpAddress): void {
  writer.begin(RTM.newNeighbour, NLM_F.create | NLM_F.replace);
  writeHeader(writer, { family: afOf(address), index, state: NUD_PERMANENT, flags: NTF_PROXY });
  writer.attributeBytes(NDA.destination, addressBytes(address));
  writer.end();
}

/** Starts resolution, as a packet would; makes the entry if there is none. */
export function writeNeighbourProbe(
  writer: MessageWriter,
  index: number,
  address: IpAddress,
): void {
  writer.begin(RTM.newNeighbour, NLM_F.create);
  writeHeader(writer, { family: afOf(address), index, state: 0, flags: NTF_USE });
  writer.attributeBytes(NDA.destination, addressBytes(address));
  writer.end();
}

export function writeNeighbourRemoval(
  writer: MessageWriter,
  index: number,
  address: IpAddress,
  proxy: boolean,
): void {
  writer.begin(RTM.delNeighbour, 0);
  writeHeader(writer, { family: afOf(address), index, state: 0, flags: proxy ? NTF_PROXY : 0 });
  writer.attributeBytes(NDA.destination, addressBytes(address));
  writer.end();
}

function afOf(address: IpAddress): number {
  return familyOf(address) === 'ipv4' ? AF.ipv4 : AF.ipv6;
}

interface NeighbourHeader {
  readonly family: number;
  readonly index: number;
  readonly state: number;
  /** NTF_* */
  readonly flags: number;
}

function writeHeader(writer: MessageWriter, header: NeighbourHeader): void {
  writer.u32(header.family);
  writer.u32(header.index);
  writer.u16(header.state);
  writer.u8(header.flags);
  writer.u8(0);
}
