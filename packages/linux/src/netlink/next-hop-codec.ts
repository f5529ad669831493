import { addressBytes, addressFromBytes, type Family, type NextHop } from '@overland/net';
import { type NextHopMember, nextHopGroup, nextHopMembers } from '../next-hop-group.ts';
import type { NextHopObject } from '../ports.ts';
import { AF, NLM_F, RTM } from './constants.ts';
import type { DeviceNames, DeviceNumbers } from './devices.ts';
import { Attributes, type Message } from './message-reader.ts';
import { LITTLE_ENDIAN, type MessageWriter } from './message-writer.ts';

const NHMSG_OCTETS = 8;
const GROUP_ENTRY_OCTETS = 8;
const NHA = { id: 1, group: 2, device: 5, gateway: 6 } as const;

/** Id and origin, which is all that a removal carries for sure. */
export interface NextHopIdentity {
  readonly id: number;
  readonly protocol: number;
}

/**
 * Reads id and protocol of RTM_NEWNEXTHOP or RTM_DELNEXTHOP. linux/nexthop.h, `struct nhmsg`:
 *
 *   +------------+-----------+--------------+--------------+-----------+
 *   | Family (1) | Scope (1) | Protocol (1) | Reserved (1) | Flags (4) |
 *   +------------+-----------+--------------+--------------+-----------+
 */
export function readNextHopIdentity(message: Message): NextHopIdentity | undefined {
  const { view, start, end } = message;
  const attributes = new Attributes(message, start + NHMSG_OCTETS, end);
  while (attributes.next()) {
    if (attributes.type === NHA.id) {
      return { id: attributes.u32(), protocol: view.getUint8(start + 2) };
    }
  }
  return undefined;
}

/** @returns `undefined` for objects that we never make (blackholes, FDB entries) or whose device is gone. */
export function readNextHopObject(
  message: Message,
  devices: DeviceNames,
): NextHopObject | undefined {
  const identity = readNextHopIdentity(message);
  if (identity === undefined) return undefined;
  const { view, start, end } = message;
  let members: NextHopMember[] | undefined;
  let [device, gateway]: [number, Uint8Array | undefined] = [0, undefined];
  const attributes = new Attributes(message, start + NHMSG_OCTETS, end);
  while (attributes.next()) {
    if (attributes.type === NHA.group) members = readMembers(attributes);
    else if (attributes.type === NHA.device) device = attributes.u32();
    else if (attributes.type === NHA.gateway) gateway = attributes.octets();
  }
  if (members !== undefined) return { ...identity, content: nextHopGroup(members) };
  const name = devices.nameOf(device);
  if (name === undefined) return undefined;
  const family: Family = view.getUint8(start) === AF.ipv4 ? 'ipv4' : 'ipv6';
  const address = gateway === undefined ? null : addressFromBytes(gateway);
  return { ...identity, content: { type: 'path', family, nextHop: { address, device: name } } };
}

/** NHA_GROUP: a list of `struct nexthop_grp`: id (4), weight - 1 (1), high octet of that (1), reserved (2). */
function readMembers({ message: { view }, start, length }: Attributes): NextHopMember[] {
  return Array.from({ length: Math.floor(length / GROUP_ENTRY_OCTETS) }, (_, i) => {
    const at = start + i * GROUP_ENTRY_OCTETS;
    return {
      id: view.getUint32(at, LITTLE_ENDIAN),
      weight: view.getUint8(at + 4) + 256 * view.getUint8(at + 5) + 1,
    };
  });
}

export function writeNextHopDump(writer: MessageWriter): void {
  writer.begin(RTM.getNextHop, NLM_F.dump);
  writer.zeros(NHMSG_OCTETS);
  writer.end();
}

export function writeNextHopReplacement(
  writer: MessageWriter,
  { id, protocol, content }: NextHopObject,
  devices: DeviceNumbers,
): void {
  writer.begin(RTM.newNextHop, NLM_F.create | NLM_F.replace);
  if (content.type === 'group') {
    writeHeader(writer, AF.unspecified, protocol);
    writer.attributeU32(NHA.id, id);
    writer.nest(NHA.group, () => {
      for (const { id: member, weight } of nextHopMembers(content)) {
        writer.u32(member);
        writer.u8(weight - 1);
        writer.u8(0);
        writer.u8(0);
        writer.u8(0);
      }
    });
  } else {
    writeHeader(writer, content.family === 'ipv4' ? AF.ipv4 : AF.ipv6, protocol);
    writer.attributeU32(NHA.id, id);
    writePath(writer, content.nextHop, devices);
  }
  writer.end();
}

function writePath(writer: MessageWriter, nextHop: NextHop, devices: DeviceNumbers): void {
  writer.attributeU32(NHA.device, devices.numberOf(nextHop.device));
  if (nextHop.address !== null) {
    writer.attributeBytes(NHA.gateway, addressBytes(nextHop.address));
  }
}

export function writeNextHopRemoval(writer: MessageWriter, id: number): void {
  writer.begin(RTM.delNextHop, 0);
  writeHeader(writer, AF.unspecified, 0);
  writer.attributeU32(NHA.id, id);
  writer.end();
}

function writeHeader(writer: MessageWriter, family: number, protocol: number): void {
  writer.u8(family);
  writer.u8(0); // scope: the kernel finds it
  writer.u8(protocol);
  writer.u8(0);
  writer.u32(0);
}
