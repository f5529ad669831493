import { protocolText } from '@overland/model/protocol';
import { contains, familyOf, type IpAddress, type Prefix } from '@overland/net';
import type { ActiveRule, ActiveSide, IcmpMatch, PortMatches, SetId } from './active-rule.ts';
import { icmpText, portsText } from './condition-text.ts';

/** The first packet of a flow. */
export interface Packet {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** IP protocol number. */
  readonly protocol: number;
  /** `undefined`: any that a client may choose; a rule that asks for certain ones does not match it. */
  readonly sourcePort?: number | undefined;
  readonly destinationPort?: number | undefined;
  readonly icmpType?: number | undefined;
  readonly icmpCode?: number | undefined;
}

/** What rules ask about sets. */
export interface SetQuestions {
  /** Whether a set of addresses holds one. */
  holds(id: SetId, address: IpAddress): boolean;
  /** Whether a set of ports holds one. */
  holdsPort(id: SetId, address: IpAddress, protocol: number, port: number): boolean;
  /** For people. */
  text(id: SetId): string;
}

/** Conditions of a rule that a packet does not meet, in words; none: the rule matches. */
export function mismatches(rule: ActiveRule, packet: Packet, sets: SetQuestions): string[] {
  if (rule.inert !== undefined) return [rule.inert];
  const version = familyOf(packet.source) === 'ipv4' ? 4 : 6;
  const { ipVersion, protocol, notProtocol } = rule;
  const faults: string[] = [];
  if (ipVersion !== undefined && ipVersion !== version) faults.push(`is for IPv${ipVersion}`);
  if (protocol !== undefined && protocol !== packet.protocol) {
    faults.push(`is for protocol ${protocolText(protocol)}`);
  }
  if (notProtocol === packet.protocol) {
    faults.push(`is for protocols other than ${protocolText(notProtocol)}`);
  }
  if (rule.icmp && !isIcmp(rule.icmp, packet)) faults.push(`is for ICMP ${icmpText(rule.icmp)}`);
  if (rule.notIcmp && isIcmp(rule.notIcmp, packet)) {
    faults.push(`is for other ICMP messages than ${icmpText(rule.notIcmp)}`);
  }
  const { source, sourcePort, destination, destinationPort } = packet;
  const from: Place = { name: 'source', address: source, port: sourcePort, packet };
  const to: Place = { name: 'destination', address: destination, port: destinationPort, packet };
  return [
    ...faults,
    ...sideMismatches(rule.source, from, sets),
    ...sideMismatches(rule.destination, to, sets),
  ];
}

/** One end of a packet. */
interface Place {
  readonly name: 'source' | 'destination';
  readonly address: IpAddress;
  readonly port: number | undefined;
  readonly packet: Packet;
}

function sideMismatches(side: ActiveSide, place: Place, sets: SetQuestions): string[] {
  const { name, address } = place;
  const holds = (nets: readonly Prefix[]) => nets.some((net) => contains(net, address));
  const setText = (id: string) => sets.text(id);
  const faults: string[] = [];
  if (side.nets.length > 0 && !holds(side.nets)) {
    faults.push(`${name} ${address} is not in ${side.nets.join(', ')}`);
  }
  if (holds(side.notNets)) faults.push(`${name} ${address} is in ${side.notNets.join(', ')}`);
  for (const id of side.sets) {
    if (!sets.holds(id, address)) {
      faults.push(`${name} ${address} is not selected by ${sets.text(id)}`);
    }
  }
  for (const id of side.notSets) {
    if (sets.holds(id, address)) faults.push(`${name} ${address} is selected by ${sets.text(id)}`);
  }
  if (side.ports && !isPort(side.ports, place, sets)) {
    faults.push(`${name} port ${portText(place)} is not ${portsText(side.ports, setText)}`);
  }
  if (side.notPorts && isPort(side.notPorts, place, sets)) {
    faults.push(`${name} port ${portText(place)} is ${portsText(side.notPorts, setText)}`);
  }
  return faults;
}

function isPort({ ranges, sets: ids }: PortMatches, place: Place, sets: SetQuestions): boolean {
  const { port, address, packet } = place;
  if (port === undefined) return false;
  return (
    ranges.some(({ first, last }) => first <= port && port <= last) ||
    ids.some((id) => sets.holdsPort(id, address, packet.protocol, port))
  );
}

function isIcmp({ type, code }: IcmpMatch, { icmpType, icmpCode }: Packet): boolean {
  return (type === undefined || type === icmpType) && (code === undefined || code === icmpCode);
}

function portText({ port }: Place): string {
  return port === undefined ? '(any)' : String(port);
}
