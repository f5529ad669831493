import { addressBytes, addressFromBytes, familyOf, parseAddress } from '@overland/net';
import type { NftKeyType } from '../../nftables.ts';

/** How nft reads, orders and names values of a type. */
export interface ValueType {
  /** As nft numbers it (`enum datatypes`): it reads them from sets that are listed. */
  readonly number: number;
  readonly octets: number;
  /** In which byte order registers and sets hold it; with `host`, ranges have no meaning in the kernel. */
  readonly order: 'network' | 'host';
  /** What a value must be, for errors. */
  readonly what: string;
  /** @returns `undefined` if it is no such value. */
  parse(text: string): Uint8Array | undefined;
  /** Canonical text. */
  print(octets: Uint8Array): string;
  /** Values are sets of bits, and a match asks for any of them unless it says otherwise. */
  readonly isBits?: boolean;
}

const ascii = new TextEncoder();
const utf8 = new TextDecoder();
const INTERFACE_NAME_OCTETS = 16;

function addresses(number: number, octets: 4 | 16): ValueType {
  const family = octets === 4 ? 'ipv4' : 'ipv6';
  return {
    number,
    octets,
    order: 'network',
    what: `an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`,
    parse(text) {
      try {
        const address = parseAddress(text);
        return familyOf(address) === family ? addressBytes(address) : undefined;
      } catch {
        return undefined;
      }
    },
    print: (bytes) => addressFromBytes(bytes),
  };
}

interface NumberOptions {
  readonly number: number;
  readonly octets: 1 | 2 | 4;
  readonly order?: 'network' | 'host';
  readonly what: string;
  readonly names?: Readonly<Record<string, number>>;
  readonly isBits?: boolean;
  /** Whether only the names are values. */
  readonly isNamed?: boolean;
}

function numbers(options: NumberOptions): ValueType {
  const {
    number,
    octets,
    order = 'network',
    what,
    names = {},
    isBits = false,
    isNamed = false,
  } = options;
  const littleEndian = order === 'host';
  return {
    number,
    octets,
    order,
    what,
    isBits,
    parse(text) {
      const value = named(names, text) ?? (isNamed ? undefined : numberOf(text));
      if (value === undefined || value >= 2 ** (8 * octets)) return undefined;
      return octetsOf(value, octets, littleEndian);
    },
    print: (bytes) => String(numberIn(bytes, littleEndian)),
  };
}

/** What a name stands for, if it is one of these: words of rules may be anything. */
export function named<T>(names: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(names, name) ? names[name] : undefined;
}

/** A number in decimal or hexadecimal. */
export function numberOf(text: string): number | undefined {
  return /^(\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text) ? Number(text) : undefined;
}

export function octetsOf(
  value: number,
  octets: 1 | 2 | 4,
  littleEndian: boolean,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(octets));
  if (octets === 1) view.setUint8(0, value);
  else if (octets === 2) view.setUint16(0, value, littleEndian);
  else view.setUint32(0, value, littleEndian);
  return new Uint8Array(view.buffer);
}

function numberIn(bytes: Uint8Array, littleEndian: boolean): number {
  const ordered = littleEndian ? bytes.toReversed() : bytes;
  return ordered.reduce((value, octet) => value * 256 + octet, 0);
}

const PROTOCOLS = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  'ipv6-icmp': 58,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
};

const KEY_TYPES: Readonly<Record<NftKeyType, ValueType>> = {
  ipv4_addr: addresses(7, 4),
  ipv6_addr: addresses(8, 16),
  ether_addr: {
    number: 9,
    octets: 6,
    order: 'network',
    what: 'a MAC address',
    parse: (text) =>
      /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)
        ? Uint8Array.from(text.split(':'), (octet) => Number.parseInt(octet, 16))
        : undefined,
    print: (octets) => [...octets].map((octet) => octet.toString(16).padStart(2, '0')).join(':'),
  },
  ifname: {
    number: 41,
    octets: INTERFACE_NAME_OCTETS,
    order: 'host',
    what: 'the name of an interface',
    parse(text) {
      const name = ascii.encode(text);
      if (name.length === 0 || name.length >= INTERFACE_NAME_OCTETS || /[\s/:*]/.test(text)) {
        return undefined;
      }
      const octets = new Uint8Array(INTERFACE_NAME_OCTETS);
      octets.set(name);
      return octets;
    },
    print(octets) {
      const nul = octets.indexOf(0);
      return utf8.decode(nul < 0 ? octets : octets.subarray(0, nul));
    },
  },
  inet_proto: numbers({ number: 12, octets: 1, what: 'an IP protocol', names: PROTOCOLS }),
  inet_service: numbers({ number: 13, octets: 2, what: 'a port' }),
};

/** Types that values of rules have. */
export const VALUE_TYPES = {
  ...KEY_TYPES,
  nfproto: numbers({ number: 2, octets: 1, what: 'ipv4 or ipv6', names: { ipv4: 2, ipv6: 10 } }),
  integer: numbers({ number: 4, octets: 1, what: 'a number up to 255' }),
  mark: numbers({ number: 19, octets: 4, order: 'host', what: 'a mark' }),
  iface_type: numbers({
    number: 21,
    octets: 2,
    order: 'host',
    what: 'a type of interface',
    names: { ether: 1, loopback: 772 },
  }),
  icmp_type: numbers({
    number: 14,
    octets: 1,
    what: 'a type of ICMP',
    names: {
      'echo-reply': 0,
      'destination-unreachable': 3,
      'echo-request': 8,
      'time-exceeded': 11,
    },
  }),
  icmp_code: numbers({ number: 32, octets: 1, what: 'a code of ICMP' }),
  icmpv6_type: numbers({
    number: 29,
    octets: 1,
    what: 'a type of ICMPv6',
    names: {
      'destination-unreachable': 1,
      'packet-too-big': 2,
      'time-exceeded': 3,
      'parameter-problem': 4,
      'echo-request': 128,
      'echo-reply': 129,
      'mld-listener-query': 130,
      'mld-listener-report': 131,
      'mld-listener-done': 132,
      'nd-router-solicit': 133,
      'nd-router-advert': 134,
      'nd-neighbor-solicit': 135,
      'nd-neighbor-advert': 136,
      'nd-redirect': 137,
      'mld2-listener-report': 143,
    },
  }),
  icmpv6_code: numbers({ number: 33, octets: 1, what: 'a code of ICMPv6' }),
  tcp_flag: numbers({
    number: 15,
    octets: 1,
    what: 'flags of TCP',
    names: { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ecn: 64, cwr: 128 },
    isBits: true,
  }),
  ct_state: numbers({
    number: 26,
    octets: 4,
    order: 'host',
    what: 'a state of connection tracking',
    names: { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 },
    isBits: true,
  }),
  ct_status: numbers({
    number: 28,
    octets: 4,
    order: 'host',
    what: 'a status of connection tracking',
    names: {
      expected: 1,
      'seen-reply': 2,
      assured: 4,
      confirmed: 8,
      snat: 16,
      dnat: 32,
      dying: 512,
    },
    isBits: true,
  }),
  ct_dir: numbers({
    number: 27,
    octets: 1,
    what: 'original or reply',
    names: { original: 0, reply: 1 },
  }),
  fib_addrtype: numbers({
    number: 38,
    octets: 4,
    order: 'host',
    what: 'a type of address',
    names: {
      unspec: 0,
      unicast: 1,
      local: 2,
      broadcast: 3,
      anycast: 4,
      multicast: 5,
      blackhole: 6,
    },
  }),
  fib_presence: numbers({
    number: 39,
    octets: 4,
    order: 'host',
    what: 'exists or missing',
    names: { missing: 0, exists: 1 },
    isNamed: true,
  }),
  pkt_type: numbers({
    number: 31,
    octets: 1,
    what: 'a type of packet',
    names: { host: 0, unicast: 0, broadcast: 1, multicast: 2, other: 3 },
  }),
} as const satisfies Readonly<Record<string, ValueType>>;

/** A type of keys by its name. */
export function keyType(name: string): ValueType | undefined {
  return named<ValueType>(KEY_TYPES, name);
}

const NAMES_BY_NUMBER: ReadonlyMap<number, string> = new Map(
  Object.entries(KEY_TYPES).map(([name, { number }]) => [number, name]),
);

/** nft packs the numbers of a concatenation's types into one, 6 bits each. */
const TYPE_BITS = 6;

export function concatenatedTypes(types: readonly ValueType[]): number {
  return types.reduce((all, { number }) => (all << TYPE_BITS) | number, 0);
}

/** Names of a set's key types; a number where we have no name. */
export function typeNames(number: number): string[] {
  const names: string[] = [];
  for (let rest = number; rest > 0; rest >>>= TYPE_BITS) {
    const one = rest & ((1 << TYPE_BITS) - 1);
    names.unshift(NAMES_BY_NUMBER.get(one) ?? String(one));
  }
  return names;
}

/** Registers and parts of concatenations are whole words. */
export function padded(octets: number): number {
  return (octets + 3) & ~3;
}
