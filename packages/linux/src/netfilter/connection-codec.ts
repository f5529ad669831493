import { addressFromBytes } from '@overland/net';
import type { Attributes, Message } from '../netlink/message-reader.ts';
import { netfilterAttributes } from './constants.ts';
import type { FlowTuple } from './flow-tuple.ts';

/** One direction of a connection: packets and octets so far; 0 while the kernel does not count (`nf_conntrack_acct`). */
export interface FlowCounters {
  readonly packets: number;
  readonly octets: number;
}

/** A connection as the kernel tracks it. */
export interface Connection {
  /** As the first packet had it, before any translation. */
  readonly original: FlowTuple;
  /** What answers look like. */
  readonly reply: FlowTuple;
  readonly sent: FlowCounters;
  readonly answered: FlowCounters;
}

/** `enum ctattr_type` and those inside. linux/netfilter/nfnetlink_conntrack.h */
const CTA = { original: 1, reply: 2, originalCounters: 9, replyCounters: 10 } as const;
const TUPLE = { ip: 1, protocol: 2 } as const;
const IP = { v4Source: 1, v4Destination: 2, v6Source: 3, v6Destination: 4 } as const;
const PROTO = {
  number: 1,
  sourcePort: 2,
  destinationPort: 3,
  icmpType: 5,
  icmpCode: 6,
  icmpv6Type: 8,
  icmpv6Code: 9,
} as const;
const COUNTERS = { packets: 1, octets: 2 } as const;

const NONE: FlowCounters = { packets: 0, octets: 0 };

/** @returns `undefined` if there are no tuples in it. */
export function readConnection(message: Message): Connection | undefined {
  const attributes = netfilterAttributes(message);
  let original: FlowTuple | undefined;
  let reply: FlowTuple | undefined;
  let [sent, answered] = [NONE, NONE];
  while (attributes.next()) {
    switch (attributes.type) {
      case CTA.original:
        original = readTuple(attributes.nested());
        break;
      case CTA.reply:
        reply = readTuple(attributes.nested());
        break;
      case CTA.originalCounters:
        sent = readCounters(attributes.nested());
        break;
      case CTA.replyCounters:
        answered = readCounters(attributes.nested());
        break;
    }
  }
  return original && reply && { original, reply, sent, answered };
}

function readTuple(attributes: Attributes): FlowTuple | undefined {
  let source: FlowTuple['source'] | undefined;
  let destination: FlowTuple['destination'] | undefined;
  let transport: ReturnType<typeof readTransport> | undefined;
  while (attributes.next()) {
    if (attributes.type === TUPLE.protocol) transport = readTransport(attributes.nested());
    if (attributes.type !== TUPLE.ip) continue;
    const ends = attributes.nested();
    while (ends.next()) {
      if (ends.length !== 4 && ends.length !== 16) continue;
      const address = addressFromBytes(ends.octets());
      if (ends.type === IP.v4Source || ends.type === IP.v6Source) source = address;
      if (ends.type === IP.v4Destination || ends.type === IP.v6Destination) destination = address;
    }
  }
  return source && destination && transport && { source, destination, ...transport };
}

function readTransport(attributes: Attributes): Omit<FlowTuple, 'source' | 'destination'> {
  let [protocol, sourcePort, destinationPort] = [0, 0, 0];
  let icmpType: number | undefined;
  let icmpCode: number | undefined;
  while (attributes.next()) {
    const { view } = attributes.message;
    switch (attributes.type) {
      case PROTO.number:
        protocol = view.getUint8(attributes.start);
        break;
      case PROTO.sourcePort:
        sourcePort = view.getUint16(attributes.start);
        break;
      case PROTO.destinationPort:
        destinationPort = view.getUint16(attributes.start);
        break;
      case PROTO.icmpType:
      case PROTO.icmpv6Type:
        icmpType = view.getUint8(attributes.start);
        break;
      case PROTO.icmpCode:
      case PROTO.icmpv6Code:
        icmpCode = view.getUint8(attributes.start);
        break;
    }
  }
  const icmp = icmpType === undefined ? {} : { icmpType, icmpCode: icmpCode ?? 0 };
  return { protocol, sourcePort, destinationPort, ...icmp };
}

/** Counters are in network order, of 8 octets. */
function readCounters(attributes: Attributes): FlowCounters {
  let [packets, octets] = [0, 0];
  while (attributes.next()) {
    if (attributes.length !== 8) continue;
    const value = Number(attributes.message.view.getBigUint64(attributes.start));
    if (attributes.type === COUNTERS.packets) packets = value;
    if (attributes.type === COUNTERS.octets) octets = value;
  }
  return { packets, octets };
}
