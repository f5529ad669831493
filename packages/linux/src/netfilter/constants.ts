import { Attributes, type Message } from '../netlink/message-reader.ts';
import { GENERIC_OCTETS } from '../netlink/nft/table-codec.ts';

/** Message types are `subsystem << 8 | message`. linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h, nfnetlink_log.h */
export const CONNTRACK = { new: 0x0100, delete: 0x0102 } as const;
export const PACKET_LOG = { packet: 0x0400, config: 0x0401 } as const;

/** NFNLGRP_*. */
export const NETFILTER_GROUP = { connectionNew: 1, connectionDestroy: 3 } as const;

/** What follows the generic header of nfnetlink. */
export function netfilterAttributes(message: Message): Attributes {
  return new Attributes(message, message.start + GENERIC_OCTETS, message.end);
}
