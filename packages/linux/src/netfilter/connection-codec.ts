import { readTuple } from '../netlink/connection-tuple.ts';
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
        original = flowTuple(attributes.nested());
        break;
      case CTA.reply:
        reply = flowTuple(attributes.nested());
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

/** What has no ports has the ports 0. */
function flowTuple(attributes: Attributes): FlowTuple | undefined {
  const tuple = readTuple(attributes);
  return tuple && { sourcePort: 0, destinationPort: 0, ...tuple };
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
