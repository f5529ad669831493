import { addressBytes, addressFromBytes, familyOf, type InterfaceAddress } from '@overland/net';
import { AF, NLM_F, RTM } from './constants.ts';
import { Attributes, type Message } from './message-reader.ts';
import { LITTLE_ENDIAN, type MessageWriter } from './message-writer.ts';

const IFADDRMSG_OCTETS = 8;
const IFA = { address: 1, local: 2, flags: 8 } as const;
const IFA_F_NODAD = 0x02;

/** One address of one link, as the kernel reports it. */
export interface LinkAddress {
  readonly linkIndex: number;
  readonly address: InterfaceAddress;
}

/**
 * Reads the body of RTM_NEWADDR or RTM_DELADDR. linux/if_addr.h, `struct ifaddrmsg`:
 *
 *   +------------+------------+-----------+-----------+-----------+
 *   | Family (1) | Length (1) | Flags (1) | Scope (1) | Index (4) |
 *   +------------+------------+-----------+-----------+-----------+
 *
 * IFA_LOCAL is our end where there is a peer address; else IFA_ADDRESS alone is given (IPv6) or both are equal.
 */
export function readAddress(message: Message): LinkAddress | undefined {
  const { view, start, end } = message;
  const attributes = new Attributes(message, start + IFADDRMSG_OCTETS, end);
  let [address, local]: (Uint8Array | undefined)[] = [];
  while (attributes.next()) {
    if (attributes.type === IFA.address) address = attributes.octets();
    else if (attributes.type === IFA.local) local = attributes.octets();
  }
  const octets = local ?? address;
  if (octets?.length !== 4 && octets?.length !== 16) return undefined;
  return {
    linkIndex: view.getUint32(start + 4, LITTLE_ENDIAN),
    address: { address: addressFromBytes(octets), length: view.getUint8(start + 1) },
  };
}

export function writeAddressDump(writer: MessageWriter, linkIndex: number): void {
  writer.begin(RTM.getAddress, NLM_F.dump);
  writer.u32(AF.unspecified);
  writer.u32(linkIndex);
  writer.end();
}

/** @param probe Whether IPv6 checks that nobody else has the address before it can be used (DAD, RFC 4862). */
export function writeAddressCreation(
  writer: MessageWriter,
  linkIndex: number,
  address: InterfaceAddress,
  probe: boolean,
): void {
  writer.begin(RTM.newAddress, NLM_F.create | NLM_F.replace);
  writeBody(writer, linkIndex, address);
  if (!probe) writer.attributeU32(IFA.flags, IFA_F_NODAD);
  writer.end();
}

export function writeAddressRemoval(
  writer: MessageWriter,
  linkIndex: number,
  address: InterfaceAddress,
): void {
  writer.begin(RTM.delAddress, 0);
  writeBody(writer, linkIndex, address);
  writer.end();
}

function writeBody(writer: MessageWriter, linkIndex: number, interfaceAddress: InterfaceAddress) {
  const { address, length } = interfaceAddress;
  writer.u8(familyOf(address) === 'ipv4' ? AF.ipv4 : AF.ipv6);
  writer.u8(length);
  writer.u16(0);
  writer.u32(linkIndex);
  const octets = addressBytes(address);
  writer.attributeBytes(IFA.local, octets);
  writer.attributeBytes(IFA.address, octets);
}
