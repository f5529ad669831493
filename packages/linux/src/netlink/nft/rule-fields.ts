import { BASE } from './numbers.ts';
import { named, VALUE_TYPES, type ValueType } from './value-types.ts';

/** Where an expression gets a value from. */
export type Load =
  | { readonly from: 'meta' | 'ct'; readonly key: number; readonly direction?: number }
  | { readonly from: 'payload'; readonly base: number; readonly offset: number }
  | { readonly from: 'fib'; readonly flags: number; readonly result: number };

/** What a packet must be, for a field of it to be where it is looked for. */
export interface Layers {
  /** NFPROTO_*. */
  readonly network?: 2 | 10;
  /** IP protocol. */
  readonly transport?: number;
  readonly isEthernet?: boolean;
}

/** What rules can look at. */
export interface Field {
  readonly type: ValueType;
  readonly load: Load;
  readonly needs: Layers;
  /** Which layer a match for one value decides about. */
  readonly decides?: 'network' | 'transport';
}

const T = VALUE_TYPES;
const [IPV4, IPV6] = [2, 10] as const;

const meta = (key: number, type: ValueType, decides?: Field['decides']): Field => ({
  type,
  load: { from: 'meta', key },
  needs: {},
  ...(decides && { decides }),
});

export const META_MARK = meta(3, T.mark);
export const NFPROTO = meta(15, T.nfproto, 'network');
export const L4PROTO = meta(16, T.inet_proto, 'transport');
export const IIFTYPE = meta(8, T.iface_type);

const META: Readonly<Record<string, Field>> = {
  mark: META_MARK,
  iifname: meta(6, T.ifname),
  oifname: meta(7, T.ifname),
  iiftype: IIFTYPE,
  nfproto: NFPROTO,
  l4proto: L4PROTO,
  pkttype: meta(19, T.pkt_type),
};

const ct = (key: number, type: ValueType, direction?: number): Field => ({
  type,
  load: { from: 'ct', key, ...(direction !== undefined && { direction }) },
  needs: {},
});

export const CT_MARK = ct(3, T.mark);

const CT: Readonly<Record<string, Field>> = {
  state: ct(0, T.ct_state),
  direction: ct(1, T.ct_dir),
  status: ct(2, T.ct_status),
  mark: CT_MARK,
};

/** `ct original ip daddr`. */
const CT_TUPLE: Readonly<Record<string, readonly [key: number, type: ValueType]>> = {
  'ip saddr': [19, T.ipv4_addr],
  'ip daddr': [20, T.ipv4_addr],
  'ip6 saddr': [21, T.ipv6_addr],
  'ip6 daddr': [22, T.ipv6_addr],
};
const DIRECTIONS: Readonly<Record<string, number>> = { original: 0, reply: 1 };

type Place = readonly [type: ValueType, offset: number, decides?: Field['decides']];

const header = (
  base: number,
  needs: Layers,
  places: Readonly<Record<string, Place>>,
): Readonly<Record<string, Field>> =>
  Object.fromEntries(
    Object.entries(places).map(([name, [type, offset, decides]]) => [
      name,
      { type, load: { from: 'payload', base, offset }, needs, ...(decides && { decides }) },
    ]),
  );

const PORTS = { sport: [T.inet_service, 0], dport: [T.inet_service, 2] } as const;
const { link, network, transport } = BASE;

const HEADERS: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  ether: header(link, { isEthernet: true }, { daddr: [T.ether_addr, 0], saddr: [T.ether_addr, 6] }),
  ip: header(
    network,
    { network: IPV4 },
    {
      ttl: [T.integer, 8],
      protocol: [T.inet_proto, 9, 'transport'],
      saddr: [T.ipv4_addr, 12],
      daddr: [T.ipv4_addr, 16],
    },
  ),
  ip6: header(
    network,
    { network: IPV6 },
    {
      nexthdr: [T.inet_proto, 6, 'transport'],
      hoplimit: [T.integer, 7],
      saddr: [T.ipv6_addr, 8],
      daddr: [T.ipv6_addr, 24],
    },
  ),
  th: header(transport, {}, PORTS),
  tcp: header(transport, { transport: 6 }, { ...PORTS, flags: [T.tcp_flag, 13] }),
  udp: header(transport, { transport: 17 }, PORTS),
  sctp: header(transport, { transport: 132 }, PORTS),
  icmp: header(
    transport,
    { network: IPV4, transport: 1 },
    { type: [T.icmp_type, 0], code: [T.icmp_code, 1] },
  ),
  icmpv6: header(
    transport,
    { network: IPV6, transport: 58 },
    { type: [T.icmpv6_type, 0], code: [T.icmpv6_code, 1] },
  ),
};

const FIB_FLAGS: Readonly<Record<string, number>> = {
  saddr: 1,
  daddr: 2,
  mark: 4,
  iif: 8,
  oif: 16,
};
const FIB_PRESENT = 32;
const FIB_RESULT = { oif: 1, type: 3 } as const;

/** What fields a keyword begins, to name them in errors; `undefined`: none. */
export function fieldsOf(keyword: string): readonly string[] | undefined {
  if (keyword === 'meta') return Object.keys(META);
  if (keyword === 'ct') return [...Object.keys(CT), ...Object.keys(DIRECTIONS)];
  if (keyword === 'fib') return Object.keys(FIB_FLAGS);
  const fields = named(HEADERS, keyword);
  return fields && Object.keys(fields);
}

/** A field of two words: `ip saddr`; `iifname` and `oifname` need no `meta`. */
export function fieldOf(keyword: string, name: string): Field | undefined {
  const fields = keyword === 'meta' ? META : keyword === 'ct' ? CT : named(HEADERS, keyword);
  return fields && named(fields, name);
}

/** A field of the connection's own packet, of one direction: `ct original ip daddr`. */
export function tupleField(direction: string, name: string): Field | undefined {
  const place = named(CT_TUPLE, name);
  return place && ct(place[0], place[1], DIRECTIONS[direction]);
}

/** What the routing table says: `fib saddr . iif oif`, `fib daddr type`. */
export function fibField(words: readonly string[], result: string): Field | undefined {
  let flags = 0;
  for (const word of words) {
    const flag = named(FIB_FLAGS, word);
    if (flag === undefined || (flags & flag) !== 0) return undefined;
    flags |= flag;
  }
  if (((flags & 3) !== 1 && (flags & 3) !== 2) || (flags & 24) === 24) return undefined;
  if (result === 'oif') {
    const load: Load = { from: 'fib', flags: flags | FIB_PRESENT, result: FIB_RESULT.oif };
    return { type: T.fib_presence, load, needs: {} };
  }
  if (result !== 'type') return undefined;
  return { type: T.fib_addrtype, load: { from: 'fib', flags, result: FIB_RESULT.type }, needs: {} };
}
