import type { Family } from '@overland/net';
import { memberText, parseMember } from '../ip-set-member.ts';
import { type FoundIpSet, type IpSet, MAX_IP_SET_MEMBERS } from '../ip-sets.ts';
import { AF, NLM_F } from './constants.ts';
import { Attributes, type Message } from './message-reader.ts';
import type { MessageWriter } from './message-writer.ts';

/** Numbers of linux/netfilter/ipset/ip_set.h. */
const SUBSYSTEM = 6;
const PROTOCOL_VERSION = 6;
const COMMAND = { create: 2, destroy: 3, list: 7, add: 9, remove: 10 } as const;
const ATTRIBUTE = {
  protocol: 1,
  setName: 2,
  typeName: 3,
  revision: 4,
  family: 5,
  flags: 6,
  data: 7,
  members: 8,
} as const;
const DATA = { ip: 1, cidr: 3, port: 4, protocol: 7, maxElements: 19 } as const;
const ADDRESS = { ipv4: 1, ipv6: 2 } as const;
const FLAG_LIST_HEADER = 4;
/** The oldest revisions that have what we use; every kernel has them still. */
const REVISION = { 'hash:net': 1, 'hash:ip,port': 1 } as const;

const NLA_NESTED = 0x8000;
const NLA_BIG_ENDIAN = 0x4000;
/** `struct nfgenmsg`: family (1), version (1), resource (2). */
const NFGENMSG_OCTETS = 4;

/** What the kernel's private error numbers mean: ip_set.h, from 4096 on. */
const ERRORS: ReadonlyMap<string, string> = new Map([
  ['E4100', 'EBUSY'],
  ['E4108', 'EBUSY'], // referenced
  ['E4352', 'ENOSPC'], // IPSET_ERR_HASH_FULL
]);

/** The usual name of an error that the kernel gives a number of ipset's own. */
export function ipSetErrorName(code: string): string {
  return ERRORS.get(code) ?? code;
}

export function writeSetCreation(writer: MessageWriter, { name, type, family }: IpSet): void {
  begin(writer, COMMAND.create, NLM_F.create);
  writer.attributeText(ATTRIBUTE.setName, name);
  writer.attributeText(ATTRIBUTE.typeName, type);
  writer.attributeBytes(ATTRIBUTE.revision, Uint8Array.of(REVISION[type]));
  writer.attributeBytes(ATTRIBUTE.family, Uint8Array.of(AF[family]));
  writer.nest(ATTRIBUTE.data | NLA_NESTED, () => {
    const octets = new Uint8Array(4);
    new DataView(octets.buffer).setUint32(0, MAX_IP_SET_MEMBERS);
    writer.attributeBytes(DATA.maxElements | NLA_BIG_ENDIAN, octets);
  });
  writer.end();
}

export function writeSetRemoval(writer: MessageWriter, name: string): void {
  begin(writer, COMMAND.destroy, 0);
  writer.attributeText(ATTRIBUTE.setName, name);
  writer.end();
}

/** Adds or removes one member. @throws {ParseError} If the text is no member. */
export function writeMemberChange(
  writer: MessageWriter,
  command: 'add' | 'remove',
  name: string,
  member: string,
): void {
  const { octets, length, protocol, port } = parseMember(member);
  // Without NLM_F_EXCL, what is fulfilled already is no error.
  begin(writer, COMMAND[command], 0);
  writer.attributeText(ATTRIBUTE.setName, name);
  writer.nest(ATTRIBUTE.data | NLA_NESTED, () => {
    const type = octets.length === 4 ? ADDRESS.ipv4 : ADDRESS.ipv6;
    writer.nest(DATA.ip | NLA_NESTED, () => writer.attributeBytes(type | NLA_BIG_ENDIAN, octets));
    if (length !== undefined) writer.attributeBytes(DATA.cidr, Uint8Array.of(length));
    if (port !== undefined && protocol !== undefined) {
      writer.attributeBytes(DATA.port | NLA_BIG_ENDIAN, Uint8Array.of(port >> 8, port & 255));
      writer.attributeBytes(DATA.protocol, Uint8Array.of(protocol));
    }
  });
  writer.end();
}

/** @param name Of the set whose members are asked for; absent: what sets there are, without members. */
export function writeSetDump(writer: MessageWriter, name?: string): void {
  begin(writer, COMMAND.list, NLM_F.dump);
  if (name !== undefined) writer.attributeText(ATTRIBUTE.setName, name);
  else
    writer.attributeBytes(
      ATTRIBUTE.flags | NLA_BIG_ENDIAN,
      Uint8Array.of(0, 0, 0, FLAG_LIST_HEADER),
    );
  writer.end();
}

/** @returns `undefined` for a message that continues a listing. */
export function readSet(message: Message): FoundIpSet | undefined {
  const attributes = attributesOf(message);
  let name = '';
  let type: string | undefined;
  let family: Family | undefined;
  while (attributes.next()) {
    if (attributes.type === ATTRIBUTE.setName) name = attributes.text();
    else if (attributes.type === ATTRIBUTE.typeName) type = attributes.text();
    else if (attributes.type === ATTRIBUTE.family) family = familyNumbered(attributes.octets()[0]);
  }
  return type === undefined ? undefined : { name, type, family };
}

/** Members in a message of a listing. */
export function readMembers(message: Message): string[] {
  const members: string[] = [];
  const attributes = attributesOf(message);
  while (attributes.next()) {
    if (attributes.type !== ATTRIBUTE.members) continue;
    const entries = attributes.nested();
    while (entries.next()) {
      if (entries.type === ATTRIBUTE.data) members.push(...readMember(entries.nested()));
    }
  }
  return members;
}

function readMember(data: Attributes): string[] {
  let octets: Uint8Array | undefined;
  let [length, protocol, port]: (number | undefined)[] = [];
  while (data.next()) {
    const value = data.octets();
    if (data.type === DATA.ip) {
      const ip = data.nested();
      if (ip.next() && (ip.length === 4 || ip.length === 16)) octets = ip.octets();
    } else if (data.type === DATA.cidr) length = value[0];
    else if (data.type === DATA.protocol) protocol = value[0];
    else if (data.type === DATA.port) port = ((value[0] ?? 0) << 8) | (value[1] ?? 0);
  }
  return octets === undefined ? [] : [memberText({ octets, length, protocol, port })];
}

function begin(writer: MessageWriter, command: number, flags: number): void {
  writer.begin((SUBSYSTEM << 8) | command, flags);
  writer.zeros(NFGENMSG_OCTETS);
  writer.attributeBytes(ATTRIBUTE.protocol, Uint8Array.of(PROTOCOL_VERSION));
}

function attributesOf({ bytes, view, start, end }: Message): Attributes {
  return new Attributes({ bytes, view }, start + NFGENMSG_OCTETS, end);
}

function familyNumbered(number: number | undefined): Family | undefined {
  return number === AF.ipv4 ? 'ipv4' : number === AF.ipv6 ? 'ipv6' : undefined;
}
