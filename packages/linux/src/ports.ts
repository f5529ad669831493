import type { Family, InterfaceAddress, IpAddress, NextHop, Prefix } from '@overland/net';

/**
 * The kernel as the rest of Overland sees it. Each port has two implementations, netlink and the shipped
 * fake (`./testing`), and both pass one compliance suite. Calls that change state are idempotent:
 * creating what exists and removing what is absent are not errors.
 */

/** A network interface. */
export interface Link {
  /** Kernel interface index. A rename keeps it; after a removal it may come back, though not soon. */
  readonly index: number;
  readonly name: string;
  /** `veth`, `bridge`, … as `ip -d link` names it; empty for loopback. */
  readonly kind: string;
  readonly mac: string;
  /** In octets. */
  readonly mtu: number;
  /** Administratively up (IFF_UP). */
  readonly up: boolean;
  /** Carrier: the other end is there and up (IFF_LOWER_UP). */
  readonly carrier: boolean;
}

export interface VethSpec {
  readonly name: string;
  readonly mac?: string;
  readonly mtu: number;
  readonly peer: {
    readonly name: string;
    readonly mac?: string;
    /** Path of the network namespace that receives the peer end, such as `/run/netns/web1`. */
    readonly namespace: string;
  };
}

export interface Links {
  list(): Promise<Link[]>;
  get(name: string): Promise<Link | undefined>;
  /** Creates both ends, the peer inside its namespace, both down. @throws {KernelError} EEXIST if the name is taken. */
  createVeth(spec: VethSpec): Promise<Link>;
  /**
   * Creates an ifb, down: what is sent out of it comes in again where it came from, after its own qdisc.
   *
   * @throws {KernelError} EOPNOTSUPP: the kernel has none.
   */
  createIfb(name: string): Promise<void>;
  set(
    name: string,
    change: { readonly up?: boolean; readonly mtu?: number; readonly mac?: string },
  ): Promise<void>;
  remove(name: string): Promise<void>;
  addresses(name: string): Promise<InterfaceAddress[]>;
  /** @param options.probe Duplicate address detection for IPv6 (default true): without it the address works at once. */
  addAddress(
    name: string,
    address: InterfaceAddress,
    options?: { readonly probe?: boolean },
  ): Promise<void>;
  removeAddress(name: string, address: InterfaceAddress): Promise<void>;
}

/** Origin of a route (rtm_protocol) or next hop (nh_protocol): how we know what is ours. */
export type Protocol = number;

/** Numbers that Overland writes; registered nowhere else in iproute2's rt_protos. */
export const PROTOCOL = {
  /** Learned by the speaker. */
  bgp: 86,
  /** Local: workload interfaces, own blocks. */
  local: 87,
} as const satisfies Record<string, Protocol>;

/** One kernel route of the main table. Identity: destination and metric. */
export interface Route {
  readonly destination: Prefix;
  /** Lower wins. IPv6 has no 0: the kernel makes it 1024, and lists that. One value for both families saves surprises. */
  readonly metric: number;
  readonly protocol: Protocol;
  readonly target: RouteTarget;
  /** Preferred source address (RTA_PREFSRC). */
  readonly source?: IpAddress;
}

export type RouteTarget =
  | { readonly type: 'device'; readonly device: string }
  | { readonly type: 'gateway'; readonly nextHop: NextHop }
  | { readonly type: 'next-hop-object'; readonly id: number }
  | { readonly type: 'blackhole' }
  /** Paths spelled out in the route (RTA_MULTIPATH), as other programs write them; ours use next-hop objects. */
  | { readonly type: 'multipath'; readonly nextHops: readonly NextHop[] }
  /** Unreachable, prohibit, …: RTN_* by number. Listed, never written. */
  | { readonly type: 'other'; readonly routeType: number };

/** Outcome per item of a batch, in order: `undefined` is success. One failure does not stop the others. */
export type BatchOutcome = readonly (KernelError | undefined)[];

export interface Routes {
  /** Routes of the main table, of one protocol if given (the kernel filters). */
  list(family: Family, protocol?: Protocol): Promise<Route[]>;
  /** Adds or atomically replaces (NLM_F_CREATE | NLM_F_REPLACE). */
  replace(routes: readonly Route[]): Promise<BatchOutcome>;
  /**
   * Removes routes of this destination, metric and protocol, wherever they lead now. For IPv4 the kernel takes a
   * metric of 0 as "any": do not mix it with others under one protocol.
   */
  remove(routes: readonly Route[]): Promise<BatchOutcome>;
  /** {@link replace} for many: a table of 100,000 is written this way. @returns Why which were refused, by place. */
  replacePacked(routes: PackedRoutes): Promise<ReadonlyMap<number, KernelError>>;
  /** {@link remove} for many; where they lead does not matter. */
  removePacked(routes: PackedRoutes): Promise<ReadonlyMap<number, KernelError>>;
}

/** Routes of one family through next-hop objects, alike but for destination and object, and no object of ours for each. */
export interface PackedRoutes {
  readonly family: Family;
  readonly metric: number;
  readonly protocol: Protocol;
  /** Preferred source address (RTA_PREFSRC). */
  readonly source?: IpAddress;
  /**
   * One behind the other, each as in a `RouteBatch`:
   *
   *   +-----------------+------------+--------------------------+
   *   | Address (4, 16) | Length (1) | Next-hop object (4, BE)  |  object 0: a blackhole
   *   +-----------------+------------+--------------------------+
   */
  readonly records: Uint8Array;
}

/** Ends of a tracked connection's packets in one direction. */
export interface ConnectionTuple {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** IP protocol number. */
  readonly protocol: number;
  /** Absent where the protocol has none. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
}

/** A tracked connection. NAT makes the second other than the first turned round. */
export interface TrackedConnection {
  /** Of its first packet, as it came. */
  readonly original: ConnectionTuple;
  /** Of the answers, as they come. */
  readonly reply: ConnectionTuple;
}

/** Connection tracking. */
export interface Conntrack {
  /**
   * Forgets connections from or to these addresses, also those that NAT leads there: their next packet is one of a new
   * connection, and rules decide about it anew.
   *
   * @param isWanted Which of them; absent: all.
   * @returns How many there were.
   * @throws {KernelError} Some of them may be forgotten.
   */
  forget(
    addresses: readonly IpAddress[],
    isWanted?: (connection: TrackedConnection) => boolean,
  ): Promise<number>;
}

/** A token bucket (tbf) that packets pass on their way out of an interface. */
export interface TokenBucket {
  /** Octets per second, 1..2^53. */
  readonly rate: number;
  /** Octets that may pass at once. Listed as exactly as the kernel tells: in ticks of 64 ns, below 274 s. */
  readonly burst: number;
  /** Octets that wait for tokens; what comes on top is dropped. */
  readonly limit: number;
  /** How fast `burst` itself may pass, octets per second, and what of that at once. More than `rate`. */
  readonly peak?: { readonly rate: number; readonly burst: number };
}

/** An interface whose packets are held back, or led through another one, by us. */
export interface ShapedLink {
  readonly device: string;
  /** Of what it sends. */
  readonly bucket?: TokenBucket;
  /** What arrives is led through this interface; empty if that is gone. */
  readonly redirect?: string;
}

/** Queueing disciplines and filters of interfaces (tc). Others' are neither listed nor removed. */
export interface TrafficControl {
  list(): Promise<ShapedLink[]>;
  /** Puts a token bucket at the root of an interface, in place of whatever is there. @throws {KernelError} ENOENT: the kernel has no tbf. */
  shape(device: string, bucket: TokenBucket): Promise<void>;
  unshape(device: string): Promise<void>;
  /**
   * Leads all that arrives on `device` through `target`, an ifb. A redirect to another one ends.
   *
   * @throws {KernelError} ENOENT: the kernel has no u32 filters, or no mirred.
   */
  redirect(device: string, target: string): Promise<void>;
  unredirect(device: string): Promise<void>;
}

/** A next-hop object (RTM_NEWNEXTHOP): one path, or a group of them. */
export interface NextHopObject {
  /** 1..2^32-1, ours to choose. */
  readonly id: number;
  readonly protocol: Protocol;
  readonly content:
    | { readonly type: 'path'; readonly family: Family; readonly nextHop: NextHop }
    | {
        readonly type: 'group';
        readonly members: readonly number[];
        /** Shares of the members, 1..255; absent: all are 1. */
        readonly weights?: readonly number[];
      };
}

export interface NextHopObjects {
  list(protocol?: Protocol): Promise<NextHopObject[]>;
  replace(objects: readonly NextHopObject[]): Promise<BatchOutcome>;
  /** Removing an object removes every route that uses it. */
  remove(ids: readonly number[]): Promise<BatchOutcome>;
}

export interface Neighbour {
  readonly device: string;
  readonly address: IpAddress;
  /** Absent while it is not resolved. */
  readonly mac: string | undefined;
  /** NUD_* name in lower case: `reachable`, `stale`, `failed`, `permanent`, … */
  readonly state: string;
}

export interface Neighbours {
  list(device?: string): Promise<Neighbour[]>;
  replace(neighbour: {
    readonly device: string;
    readonly address: IpAddress;
    readonly mac: string;
  }): Promise<void>;
  remove(device: string, address: IpAddress): Promise<void>;
  /** Has the kernel look for the neighbour now, as a packet to it would; what comes of it is an event. */
  probe(device: string, address: IpAddress): Promise<void>;
  /** Addresses that we answer for; they are no neighbours and `list` does not show them. */
  listProxies(device?: string): Promise<{ readonly device: string; readonly address: IpAddress }[]>;
  /** Answers neighbour solicitations for `address` on `device` (proxy NDP, proxy ARP). */
  addProxy(device: string, address: IpAddress): Promise<void>;
  removeProxy(device: string, address: IpAddress): Promise<void>;
}

/**
 * What the kernel says happened, whoever did it. It does not say everything (Linux 6.18, both adapters):
 *
 * - a link that goes down or loses its carrier takes its next-hop paths without a word, and with the last path of a
 *   group the group and its routes: on every `link` event without carrier, read next-hop objects back;
 * - IPv4 routes that vanish with a link, an address or a next-hop object are not reported, IPv6 routes are;
 * - proxy entries are never reported.
 */
export type KernelEvent =
  | { readonly type: 'link'; readonly link: Link }
  | { readonly type: 'link-removed'; readonly index: number; readonly name: string }
  | {
      readonly type: 'address';
      readonly device: string;
      readonly address: InterfaceAddress;
      readonly removed: boolean;
    }
  | {
      readonly type: 'route';
      readonly family: Family;
      readonly route: Route;
      readonly removed: boolean;
    }
  | {
      readonly type: 'next-hop-object';
      readonly id: number;
      readonly protocol: Protocol;
      readonly removed: boolean;
    }
  /** A queueing discipline or filter of the interface is another one, or gone. */
  | { readonly type: 'traffic-control'; readonly device: string }
  | { readonly type: 'neighbour'; readonly neighbour: Neighbour; readonly removed: boolean }
  /** Events were lost (ENOBUFS): read everything again. */
  | { readonly type: 'overrun' };

export interface KernelMonitor {
  /**
   * Events from now on, in order. Ends when `signal` aborts.
   *
   * @param options.echo Whether to report also what this {@link Kernel} itself does to routes and next-hop objects
   *   (default true). Without it a full table costs its writer no events, and a route event means somebody else.
   */
  events(signal: AbortSignal, options?: { readonly echo?: boolean }): AsyncIterable<KernelEvent>;
}

export interface Sysctls {
  /** @param key Dotted, as sysctl(8) writes it: `net.ipv4.ip_forward`; `/` where a device name has dots. @returns `undefined` if the kernel has no such setting. */
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}

/** Everything of one network namespace. */
export interface Kernel extends AsyncDisposable {
  readonly links: Links;
  readonly routes: Routes;
  readonly nextHopObjects: NextHopObjects;
  readonly neighbours: Neighbours;
  readonly monitor: KernelMonitor;
  readonly sysctls: Sysctls;
  readonly conntrack: Conntrack;
  readonly trafficControl: TrafficControl;
}

/** The kernel refused. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  /** `EEXIST`, `ENODEV`, `EPERM`, … */
  readonly code: string;
  /** What was asked, such as `replace route 10.65.0.0/26`. */
  readonly operation: string;

  constructor(code: string, operation: string, detail = '') {
    super(`${operation}: ${code}${detail && ` (${detail})`}`);
    this.code = code;
    this.operation = operation;
  }
}
