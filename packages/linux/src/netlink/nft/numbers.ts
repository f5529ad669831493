/** Numbers of linux/netfilter/nfnetlink.h and linux/netfilter/nf_tables.h. */

/** Attributes that hold attributes (NLA_F_NESTED): newer parts of the kernel insist on the flag. */
export const NESTED = 0x8000;

export const NFNL = {
  subsystem: 10,
  batchBegin: 16,
  batchEnd: 17,
  /** Multicast group. */
  group: 7,
} as const;

export const NFPROTO: Readonly<Record<string, number>> = {
  inet: 1,
  ip: 2,
  arp: 3,
  netdev: 5,
  bridge: 7,
  ip6: 10,
};

const message = (number: number): number => (NFNL.subsystem << 8) | number;

export const NFT_MSG = {
  newTable: message(0),
  getTable: message(1),
  delTable: message(2),
  newChain: message(3),
  getChain: message(4),
  delChain: message(5),
  newRule: message(6),
  getRule: message(7),
  delRule: message(8),
  newSet: message(9),
  getSet: message(10),
  delSet: message(11),
  newElement: message(12),
  getElement: message(13),
  delElement: message(14),
  newGeneration: message(15),
  getGeneration: message(16),
} as const;

export const LIST_ELEMENT = 1;

export const TABLE = { name: 1, flags: 2 } as const;
export const TABLE_DORMANT = 1;

export const CHAIN = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
export const HOOK = { number: 1, priority: 2 } as const;

export const RULE = { table: 1, chain: 2, expressions: 4, userdata: 7 } as const;

export const SET = {
  table: 1,
  name: 2,
  flags: 3,
  keyType: 4,
  keyLength: 5,
  dataType: 6,
  dataLength: 7,
  description: 9,
  id: 10,
  userdata: 13,
} as const;
export const SET_DESCRIPTION = { size: 1, concatenation: 2 } as const;
export const SET_FLAG = {
  anonymous: 0x1,
  constant: 0x2,
  interval: 0x4,
  map: 0x8,
  concatenation: 0x80,
} as const;
export const DATA_VERDICT = 0xffff_ff00;

export const ELEMENT_LIST = { table: 1, set: 2, elements: 3, setId: 4 } as const;
export const ELEMENT = { key: 1, data: 2, flags: 3, keyEnd: 10 } as const;
export const ELEMENT_INTERVAL_END = 1;

export const DATA = { value: 1, verdict: 2 } as const;
export const VERDICT = { code: 1, chain: 2 } as const;
export const VERDICT_CODE: Readonly<Record<string, number>> = {
  drop: 0,
  accept: 1,
  continue: -1,
  jump: -3,
  goto: -4,
  return: -5,
};

export const GENERATION = { id: 1 } as const;

export const EXPRESSION = { name: 1, data: 2 } as const;
export const REGISTER_VERDICT = 0;

export const BASE = { link: 0, network: 1, transport: 2 } as const;
export const COMPARE = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const;
