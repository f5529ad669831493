import type { Asn, Family, IpAddress, Prefix } from '@overland/net';
import type { Community, RouteFilter } from './policy/route-filter.ts';
import type { MonitoredRib } from './rib/monitor/rib-monitor.ts';
import type { PrefixLimit } from './session/prefix-limit.ts';
import type { RemoteAs } from './session/remote-as.ts';
import type { LinkLocalFormat } from './wire/next-hop-field.ts';
import type { BgpRole } from './wire/role.ts';

/**
 * Everything a speaker is told. Plain data: `fabric` derives it from resources, `overland bgp run -c` reads it
 * from YAML. Applying a new one is a diff: only sessions whose identity changed restart.
 */
export interface SpeakerConfig {
  readonly asn: Asn;
  /** BGP Identifier, written as an IPv4 address; unique, not zero (RFC 6286). */
  readonly routerId: IpAddress;
  /**
   * `host` offers its own prefixes only and never re-advertises what it learned over eBGP; `router`
   * passes learned routes on (a leaf or spine). `reflector` does so inside the AS (RFC 4456), and offers
   * eBGP peers its own prefixes and those of its clients.
   */
  readonly role: 'host' | 'reflector' | 'router';
  /** Of a route reflector: its cluster, written as an IPv4 address; absent: the router id (RFC 4456 section 7). */
  readonly clusterId?: IpAddress;
  /** Of a route reflector: clients hear of each other through it; absent: true. False where they are fully meshed. */
  readonly clientToClient?: boolean;
  /** Addresses to listen on; empty: dial only. */
  readonly listen: readonly {
    readonly address: IpAddress;
    readonly port: number;
    /** Take only what comes in here; absent: from anywhere. */
    readonly interface?: string;
  }[];
  readonly multipath: {
    /** Most equal-cost paths in one route, 1..128. */
    readonly maxPaths: number;
    /** Paths of equal length through different AS are equal too (`bestpath as-path multipath-relax`). */
    readonly relaxAsPath: boolean;
    /**
     * Paths share the load in proportion to their link bandwidth communities, where all of them have one; absent:
     * equally (draft-ietf-idr-link-bandwidth).
     */
    readonly linkBandwidth?: boolean;
  };
  /**
   * Peers hear of a prefix only when the kernel has a route of it; absent: at once. FRR's `suppress-fib-pending`. Of no effect on what
   * others than the speaker route: originated prefixes.
   */
  readonly suppressFibPending?: boolean;
  readonly gracefulRestart: {
    readonly enabled: boolean;
    /** Restart Time of the capability, seconds, 0..4095 (RFC 4724 section 3). */
    readonly restartSeconds: number;
    /**
     * Keep a peer's routes after a NOTIFICATION and after its hold time, too, if it does the same (RFC 8538);
     * absent: no.
     */
    readonly notification?: boolean;
    /**
     * Announce the Long-Lived Graceful Restart capability with this time, seconds, 1..2^24-1, and keep a peer's routes that
     * long at most, as a last choice, when it has announced it too and is not back in time (RFC 9494); absent: no.
     */
    readonly longLivedStaleSeconds?: number;
    /** Longest time that routes of a restarting peer are kept, seconds. */
    readonly stalePathSeconds: number;
    /** Longest wait for End-of-RIB of the peers that came up before we select routes, seconds. */
    readonly deferralSeconds: number;
  };
  readonly peers: readonly PeerConfig[];
  /** Where peers may dial from that are not configured one by one; absent: nowhere. */
  readonly listenRanges?: readonly ListenRange[];
  /** What built-in checks of import need to know of the cluster, beside {@link originate}. */
  readonly importSafety?: {
    /** What is ours and not originated; absent: nothing. */
    readonly own?: readonly Prefix[];
    /** Address pools: routers offer blocks of them, and nothing longer. */
    readonly pools: readonly {
      readonly prefix: Prefix;
      /** Length of the prefix of a block, bits. */
      readonly blockLength: number;
      /** Whether single addresses may be offered alone: nodes borrow them from each other's blocks. */
      readonly takesHosts: boolean;
    }[];
    /** What others may offer of our own prefixes: addresses that they have borrowed. */
    readonly lent: readonly Prefix[];
  };
  /** What {@link PeerConfig.importFilters} and {@link PeerConfig.exportFilters} name; absent: none. */
  readonly filters?: readonly RouteFilter[];
  /** Where VRPs for origin validation come from (RFC 8210, RFC 6811); absent: nowhere. */
  readonly rpki?: RpkiConfig;
  /** Stations that are told what is in the RIBs (BMP, RFC 7854); absent: none. */
  readonly bmp?: readonly BmpStationConfig[];
  /** Where UPDATEs of peers are recorded as they come (MRT, RFC 6396); absent: nowhere. */
  readonly mrtUpdates?: MrtUpdatesConfig;
  /** Routes that this speaker originates with the attributes that they have in a file; absent: none. */
  readonly originateFrom?: MrtFeedConfig;
  /** Prefixes that this speaker originates. */
  readonly originate: readonly Prefix[];
  /** Routes of our own to somewhere else; absent: none. */
  readonly static?: readonly StaticRoute[];
  /** Addresses that are reached on a link although no subnet of it holds them: workloads; absent: none. */
  readonly neighbours?: readonly { readonly address: IpAddress; readonly device: string }[];
  /** Prefixes that are offered as long as there is a route inside them, at most 128; absent: none. */
  readonly aggregates?: readonly AggregateConfig[];
}

/**
 * A route that is there as long as one of its next hops can be used. The kernel has it, and next hops of learned routes may lie behind
 * it, unless it is a default route.
 */
export interface StaticRoute {
  readonly prefix: Prefix;
  /** They share the load. At least one. */
  readonly nextHops: readonly StaticNextHop[];
  /** Whether peers are offered it as a prefix of ours. */
  readonly advertise: boolean;
  /** Of what is advertised; absent: none. */
  readonly communities?: readonly Community[];
}

export interface StaticNextHop {
  readonly address: IpAddress;
  /** Of a link-local address. */
  readonly interface?: string;
  /** BFD watches the path: what it says is down is not used. Absent: nobody does. */
  readonly bfd?: PeerBfd;
}

/** An aggregate of ours. RFC 4271 section 9.2.2.2; it never has an AS_SET (RFC 9774). */
export interface AggregateConfig {
  readonly prefix: Prefix;
  /** Peers are not sent what lies inside it, while it is there itself. */
  readonly summaryOnly: boolean;
  /** `aa:nn`, `aa:nn:mm`, or a well-known name; absent: none. */
  readonly communities?: readonly Community[];
}

/** Peers whose addresses nobody writes down: each is there as long as it has a session, or routes that wait for one. */
export interface ListenRange {
  readonly prefix: Prefix;
  /** Most peers at a time. */
  readonly limit: number;
  /** What each of them is told; it dials, we never do. */
  readonly peer: Omit<PeerConfig, 'name' | 'address' | 'range'>;
}

/** An MRT file (RFC 6396) whose routes are replayed, for tests and labs. */
export interface MrtFeedConfig {
  /** Path of the file: a table dump, or recorded messages. */
  readonly mrt: string;
  /** Address of the peer of the collector whose paths are taken; absent: the first path of each prefix. */
  readonly peer?: IpAddress;
}

/** Files of recorded UPDATEs: the one that is written, and older ones with `.1`, `.2`, … behind the name. */
export interface MrtUpdatesConfig {
  readonly file: string;
  /** Of one file, at most. */
  readonly maxOctets: number;
  /** At most so many, 1 or more. */
  readonly files: number;
}

/** A BMP station, which we dial. */
export interface BmpStationConfig {
  readonly address: IpAddress;
  readonly port: number;
  /** Source address; absent: the kernel picks. */
  readonly localAddress?: IpAddress;
  /**
   * What it is told: Adj-RIBs-In before and after import rules (RFC 7854 section 5), the Loc-RIB (RFC 9069), Adj-RIBs-Out before
   * and after export rules (RFC 8671). Each once, at least one.
   */
  readonly ribs: readonly MonitoredRib[];
  /** Between Statistics Reports, seconds; 0: none. */
  readonly statisticsSeconds: number;
}

/** Caches of validated route origins. */
export interface RpkiConfig {
  /** In order of preference: one is used at a time, the first that has data. */
  readonly caches: readonly RpkiCache[];
  /** Between questions for what has changed, seconds; absent: what the cache says, or an hour. */
  readonly refreshSeconds?: number;
  /** Before a cache that failed is dialled again, seconds; absent: what it says, or 10 minutes. */
  readonly retrySeconds?: number;
  /** How long VRPs hold without a word of their cache, seconds; absent: what it says, or two hours. */
  readonly expireSeconds?: number;
}

export interface RpkiCache {
  readonly address: IpAddress;
  readonly port: number;
  /** Source address; absent: the kernel picks. */
  readonly localAddress?: IpAddress;
}

export type PrivateAsMode = 'remove' | 'all' | 'replace';

/** Most paths of a prefix that {@link AddPathSelection} `best` may ask for. */
export const MAX_BEST_PATHS = 32;

/**
 * Which paths of a prefix a peer is sent under add-path (RFC 7911), of those that it may have: all, the best ones, or those
 * that share the load with the best.
 */
export type AddPathSelection = 'all' | 'multipath' | { readonly best: number };

export type NextHopMode = 'auto' | 'self' | 'force' | 'keep';

/** BFD with a peer; what is absent is 300 ms, three times. */
interface PeerBfd {
  readonly strict: boolean;
  /** Interval at which packets are sent, and the least at which they are taken, milliseconds. */
  readonly transmitMs?: number;
  readonly receiveMs?: number;
  readonly detectMultiplier?: number;
  /** Send nothing before the peer has. */
  readonly passive?: boolean;
  /** RFC 5883 or RFC 5881; absent: by whether the peer is on a link of ours. */
  readonly multihop?: boolean;
  /** Drop multihop packets with a lower TTL; absent: take everything. */
  readonly minTtl?: number;
}

/** One configured peer. Identity of the session: `address`, `interface`, `port`, `localAddress`, AS numbers. */
export interface PeerConfig {
  /** For logs and `bgp summary`, unique: the BGPPeer's name, or the address. */
  readonly name: string;
  readonly description?: string;
  /** The listen range that it has dialled from; absent: it is configured by itself. */
  readonly range?: Prefix;
  readonly address: IpAddress;
  readonly port: number;
  /** Source address; absent: the kernel picks. */
  readonly localAddress?: IpAddress;
  /** Interface that the session stays on, whoever dials; absent: whichever the routes lead to. */
  readonly bindInterface?: string;
  /** Interface of the session, where `address` is link-local: several interfaces may have the same one. */
  readonly interface?: string;
  /**
   * The peer is whoever is heard on `interface` (Router Advertisements, RFC 4861), and `address` is where: `::` while nobody is.
   * Absent: the address is configured.
   */
  readonly unnumbered?: true;
  /** What the peer's OPEN must say. */
  readonly asn: RemoteAs;
  /** AS number to use towards this peer instead of the speaker's. */
  readonly localAsn?: Asn;
  /**
   * How visible the speaker's own number stays towards an eBGP peer with {@link localAsn}. `no-prepend`: it stands behind that in what is sent;
   * `prepend`: and that is put in front of what comes from the peer, as well. Absent: neither, the peer's side sees `localAsn` alone.
   * FRR's `local-as N no-prepend`, `local-as N`, `local-as N no-prepend replace-as`.
   */
  readonly localAsMode?: 'prepend' | 'no-prepend';
  readonly families: readonly Family[];
  /** Offered, seconds: 0 (none) or 3..65535; the lower of both sides counts (RFC 4271 section 4.2). */
  readonly holdSeconds: number;
  /** Lowest hold time that we accept from the peer, seconds; absent: 3, and 0 is accepted too. */
  readonly minHoldSeconds?: number;
  /** Upper bound; a third of the negotiated hold time if that is less. */
  readonly keepaliveSeconds: number;
  readonly connectRetrySeconds: number;
  /** Wait to be dialled. */
  readonly passive: boolean;
  /** Times our own AS number may occur in a received AS_PATH (`allowas-in`). */
  readonly allowAsIn: number;
  /** Replace the peer's AS number by ours in the AS_PATH sent to it (`as-override`). */
  readonly asOverride: boolean;
  /**
   * Private AS numbers (RFC 6996) in the AS_PATH sent to this eBGP peer, but for the peer's own: `remove` takes them
   * out of a path that has no others, `all` out of any path, `replace` puts ours in their place. Absent: they stay.
   * FRR's `remove-private-AS`, `… all`, `… all replace-AS`.
   */
  readonly removePrivateAs?: PrivateAsMode;
  /** Refuse what this eBGP peer announces with an AS_PATH that does not begin with its AS number; absent: false. */
  readonly enforceFirstAs?: boolean;
  /** Accept an AS_SET in a received AS_PATH; absent: false (RFC 9774). */
  readonly allowAsSets?: boolean;
  /**
   * Offer this peer a default route of each family, whatever the Loc-RIB has; export filters do not see it. Absent:
   * false. FRR's `default-originate`.
   */
  readonly defaultOriginate?: boolean;
  /** An iBGP peer that is a client of this route reflector; absent: false (RFC 4456). */
  readonly routeReflectorClient?: boolean;
  /**
   * Next hop sent: `auto` is self for eBGP (unless the peer is on one subnet with the next hop, RFC 4271 section
   * 5.1.3) and for what we originate, else unchanged; `self` is self for what we
   * learned over eBGP, too; `force` for what we reflect as well; `keep` leaves what we learned unchanged.
   */
  readonly nextHop: NextHopMode;
  /**
   * Offer the peer to exchange IPv4 prefixes with IPv6 next hops (RFC 8950); absent: false. Where the peer does, too, and the
   * session is over IPv6, our next hop for IPv4 prefixes is our address of the session.
   */
  readonly extendedNextHop?: boolean;
  /** How our next hop is written in a session between link-local addresses; absent: `double`. */
  readonly linkLocalNextHop?: LinkLocalFormat;
  /** TTL of what we send, 1..255; 1 for a directly connected eBGP peer. */
  readonly ttl: number;
  /** Drop what arrives with a lower TTL (GTSM, RFC 5082); absent: take everything. */
  readonly minTtl?: number;
  /** Key of TCP-MD5 (RFC 2385), or the file that holds it. Without the key there is no session. */
  readonly password?: { readonly value: string } | { readonly file: string };
  /** Take and send messages of up to 65,535 octets, if the peer does, too (RFC 8654); absent: false. */
  readonly extendedMessages?: boolean;
  /** Our role towards an eBGP peer (RFC 9234), against route leaks; absent: none. */
  readonly role?: BgpRole;
  /** Refuse a peer that does not tell its role; absent: no. */
  readonly strictRole?: boolean;
  /** BFD ends the session when the path is lost (RFC 5882); `strict`: none is opened before BFD is up. */
  readonly bfd?: PeerBfd;
  /**
   * Make the routes of the session the last choice on both sides, before it is shut down: GRACEFUL_SHUTDOWN and
   * LOCAL_PREF 0 on all of them, after the filters; absent: false. RFC 8326.
   */
  readonly gracefulShutdown?: boolean;
  /** Several paths of a prefix, as far as the peer agrees (RFC 7911); absent: the best one. */
  readonly addPath?: {
    readonly receive: boolean;
    /** Absent: the best one alone, without a path identifier. */
    readonly send?: AddPathSelection;
  };
  /** Absent: as many prefixes as the peer likes. */
  readonly maxPrefixes?: PrefixLimit;
  /**
   * Most prefixes (paths, where several of a prefix are sent) that the peer is given of a family; what is above is held back
   * until there is room. Absent: all. FRR's `maximum-prefix-out`.
   */
  readonly maxAdvertised?: Readonly<Partial<Record<Family, number>>>;
  /**
   * Built-in checks of what the peer offers, before its filters: nothing of ours, nothing longer than a block inside
   * the pools, no default route. Absent: none of these. AS_PATH loops and martians are refused always.
   */
  readonly importSafety?: {
    /** A default route is wanted. */
    readonly defaultRoute: boolean;
    /** The peer is a node of the cluster, which may offer parts of blocks. */
    readonly isNode: boolean;
  };
  /**
   * Names of the filters for routes from the peer, in order. What no rule decides is left to the built-in policy;
   * absent or empty: everything is.
   */
  readonly importFilters?: readonly string[];
  /** The same for routes to the peer. */
  readonly exportFilters?: readonly string[];
}
