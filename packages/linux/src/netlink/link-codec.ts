import type { Link, VethSpec } from '../ports.ts';
import { NLM_F, RTM } from './constants.ts';
import { macFromText, macText } from './mac.ts';
import { Attributes, type Message } from './message-reader.ts';
import { LITTLE_ENDIAN, type MessageWriter } from './message-writer.ts';

const IFINFOMSG_OCTETS = 16;
const IFLA = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  linkInfo: 18,
  group: 27,
  namespaceFd: 28,
  extMask: 29,
} as const;
const IFLA_INFO = { kind: 1, data: 2 } as const;
const VETH_INFO_PEER = 1;
const IFF_UP = 1;
const IFF_LOWER_UP = 0x1_0000;
const RTEXT_FILTER_SKIP_STATS = 8;

/**
 * Reads the body of RTM_NEWLINK or RTM_DELLINK. linux/rtnetlink.h, `struct ifinfomsg`:
 *
 *   +------------+---------+----------+-----------+-----------+------------+
 *   | Family (1) | Pad (1) | Type (2) | Index (4) | Flags (4) | Change (4) |
 *   +------------+---------+----------+-----------+-----------+------------+
 *
 * @returns `undefined` for messages of another family (a bridge's port notifications).
 */
export function readLink(message: Message): Link | undefined {
  const { view, start, end } = message;
  if (view.getUint8(start) !== 0) return undefined;
  const flags = view.getUint32(start + 8, LITTLE_ENDIAN);
  let [name, kind, mac, mtu] = ['', '', '', 0];
  const attributes = new Attributes(message, start + IFINFOMSG_OCTETS, end);
  while (attributes.next()) {
    if (attributes.type === IFLA.name) name = attributes.text();
    else if (attributes.type === IFLA.address) mac = macText(attributes.octets());
    else if (attributes.type === IFLA.mtu) mtu = attributes.u32();
    else if (attributes.type === IFLA.linkInfo) kind = readKind(attributes.nested());
  }
  const index = view.getInt32(start + 4, LITTLE_ENDIAN);
  return {
    index,
    name,
    kind,
    mac,
    mtu,
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0,
  };
}

/** Number of the other end of a veth, in its own namespace (IFLA_LINK); 0 if there is none. */
export function readPeerIndex(message: Message): number {
  const attributes = new Attributes(message, message.start + IFINFOMSG_OCTETS, message.end);
  while (attributes.next()) if (attributes.type === IFLA.link) return attributes.u32();
  return 0;
}

function readKind(info: Attributes): string {
  while (info.next()) if (info.type === IFLA_INFO.kind) return info.text();
  return '';
}

export function writeLinkDump(writer: MessageWriter): void {
  writer.begin(RTM.getLink, NLM_F.dump);
  writer.zeros(IFINFOMSG_OCTETS);
  writer.attributeU32(IFLA.extMask, RTEXT_FILTER_SKIP_STATS);
  writer.end();
}

/** Asks for one link, by name or index. */
export function writeLinkGet(writer: MessageWriter, link: string | number): void {
  writer.begin(RTM.getLink, 0);
  writeHeader(writer, typeof link === 'number' ? link : 0, undefined);
  writer.attributeU32(IFLA.extMask, RTEXT_FILTER_SKIP_STATS);
  if (typeof link === 'string') writer.attributeText(IFLA.name, link);
  writer.end();
}

/** What {@link writeVethCreation} needs besides the specification. */
export interface VethPlacement {
  /** Descriptor of the network namespace that receives the peer. */
  readonly namespaceFd: number;
  /** Interface numbers of our end and of the peer, or both 0: the kernel chooses. It ignores one without the other. */
  readonly index: number;
  readonly peerIndex: number;
}

export function writeVethCreation(
  writer: MessageWriter,
  { name, mac, mtu, peer }: VethSpec,
  { namespaceFd, index, peerIndex }: VethPlacement,
): void {
  writer.begin(RTM.newLink, NLM_F.create | NLM_F.exclusive);
  writeHeader(writer, index, undefined);
  writeIdentity(writer, name, mac, mtu);
  writer.nest(IFLA.linkInfo, () => {
    writer.attributeText(IFLA_INFO.kind, 'veth');
    writer.nest(IFLA_INFO.data, () => {
      writer.nest(VETH_INFO_PEER, () => {
        writeHeader(writer, peerIndex, undefined);
        writeIdentity(writer, peer.name, peer.mac, mtu);
        writer.attributeU32(IFLA.namespaceFd, namespaceFd);
      });
    });
  });
  writer.end();
}

/** A device that holds packets back between two interfaces (linux/drivers/net/ifb.c). */
export function writeIfbCreation(writer: MessageWriter, name: string): void {
  writer.begin(RTM.newLink, NLM_F.create | NLM_F.exclusive);
  writeHeader(writer, 0, undefined);
  writer.attributeText(IFLA.name, name);
  writer.nest(IFLA.linkInfo, () => writer.attributeText(IFLA_INFO.kind, 'ifb'));
  writer.end();
}

function writeIdentity(
  writer: MessageWriter,
  name: string,
  mac: string | undefined,
  mtu: number,
): void {
  writer.attributeText(IFLA.name, name);
  writer.attributeU32(IFLA.mtu, mtu);
  if (mac !== undefined) writer.attributeBytes(IFLA.address, macFromText(mac));
}

/** What can be changed of an existing link. */
export interface LinkChange {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  /** By which links are removed at once. */
  readonly group?: number;
}

/** @param link Name or number. */
export function writeLinkChange(
  writer: MessageWriter,
  link: string | number,
  change: LinkChange,
): void {
  writer.begin(RTM.setLink, 0);
  writeHeader(writer, typeof link === 'number' ? link : 0, change.up);
  if (typeof link === 'string') writer.attributeText(IFLA.name, link);
  if (change.mtu !== undefined) writer.attributeU32(IFLA.mtu, change.mtu);
  if (change.mac !== undefined) writer.attributeBytes(IFLA.address, macFromText(change.mac));
  if (change.group !== undefined) writer.attributeU32(IFLA.group, change.group);
  writer.end();
}

export function writeLinkRemoval(writer: MessageWriter, name: string): void {
  writer.begin(RTM.delLink, 0);
  writeHeader(writer, 0, undefined);
  writer.attributeText(IFLA.name, name);
  writer.end();
}

/** Removes all links of a group. */
export function writeGroupRemoval(writer: MessageWriter, group: number): void {
  writer.begin(RTM.delLink, 0);
  writeHeader(writer, 0, undefined);
  writer.attributeU32(IFLA.group, group);
  writer.end();
}

/** @param up Sets or clears IFF_UP; `undefined` leaves it. */
function writeHeader(writer: MessageWriter, index: number, up: boolean | undefined): void {
  writer.zeros(4);
  writer.u32(index);
  writer.u32(up === true ? IFF_UP : 0);
  writer.u32(up === undefined ? 0 : IFF_UP);
}
