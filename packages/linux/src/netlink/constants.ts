/** Numbers of linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h, linux/nexthop.h, linux/neighbour.h and linux/rtnetlink.h. */

export const NLMSG = { error: 2, done: 3 } as const;

export const NLM_F = {
  request: 0x1,
  ack: 0x4,
  /** Of a dump's reply: the table changed meanwhile. */
  dumpInterrupted: 0x10,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  dump: 0x300,
  /** Of an NLMSG_ERROR: extended acknowledgement attributes follow. */
  ackTlvs: 0x200,
} as const;

export const RTM = {
  newLink: 16,
  delLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  delAddress: 21,
  getAddress: 22,
  newRoute: 24,
  delRoute: 25,
  getRoute: 26,
  newNeighbour: 28,
  delNeighbour: 29,
  getNeighbour: 30,
  newQdisc: 36,
  delQdisc: 37,
  getQdisc: 38,
  newFilter: 44,
  delFilter: 45,
  getFilter: 46,
  newNextHop: 104,
  delNextHop: 105,
  getNextHop: 106,
} as const;

/** Multicast groups (RTNLGRP_*). */
export const GROUP = {
  link: 1,
  neighbour: 3,
  trafficControl: 4,
  ipv4Address: 5,
  ipv4Route: 7,
  ipv6Address: 9,
  ipv6Route: 11,
  nextHop: 32,
} as const;

export const AF = { unspecified: 0, unix: 1, ipv4: 2, ipv6: 10, netlink: 16 } as const;
