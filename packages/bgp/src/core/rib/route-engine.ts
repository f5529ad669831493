import type { Asn, Family, InterfaceAddress, IpAddress, Prefix, RouteBatch } from '@overland/net';
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import type { OriginState, VrpTables } from '../rpki/vrp-table.ts';
import type { EngineStatistics, UpdateGroup } from './engine-statistics.ts';
import type { MonitoredRib, RibMonitor } from './monitor/rib-monitor.ts';
import type { ExplainQuery, PeerCensus, RouteExplanation } from './route-explanation.ts';

/**
 * The two halves of the speaker meet here. The session half (framing, FSM, timers, capabilities) tells the
 * route half (UPDATE, RIBs, decision, egress) when peers come and go, and hands it UPDATE bodies; the route
 * half packs UPDATEs when a socket can take them and route batches for the kernel. Neither has a clock or a
 * socket.
 */
export interface RouteEngine {
  /** Takes over what changed: originated prefixes, multipath, per-peer policy of live sessions. */
  configure(config: SpeakerConfig): void;

  /** Current interfaces: next hops on a link that is down, or that do not answer, are unusable at once. */
  setInterfaces(interfaces: readonly InterfaceState[]): void;

  /** Next hops of received routes that are unusable only because they do not answer. */
  unreachableNextHops(): readonly Gateway[];

  /** A session became Established. Routes retained from before stay stale until replaced or End-of-RIB. */
  peerUp(session: EstablishedSession): void;

  /**
   * A session ended.
   *
   * @param retain Families whose routes stay, marked stale (RFC 4724 section 4.2); the others are flushed.
   */
  peerDown(peer: PeerId, retain: readonly Family[]): void;

  /** The peer, whose session is over, is no more; its number may become another one's. */
  peerRemoved(peer: PeerId): void;

  /**
   * Flushes what is still stale: the Restart Time or the stale path time of the peer ran out.
   *
   * @param families All of them by default; some, when the peer came back without having kept those (RFC 4724
   *   section 4.2: Forwarding State bit not set).
   */
  flushStale(peer: PeerId, families?: readonly Family[]): void;

  /**
   * Makes what is stale of these families a last choice, marked LLGR_STALE: the peer was not back in time (RFC 9494 section
   * 4.2). What is marked NO_LLGR goes.
   */
  beginLongLived(peer: PeerId, families: readonly Family[]): void;

  /**
   * Takes one UPDATE, without the 19-octet header. Faults that RFC 7606 contains are counted, not returned.
   *
   * @param body Read only while the call lasts.
   * @returns The NOTIFICATION to send, when the session must end.
   */
  receiveUpdate(peer: PeerId, body: Uint8Array): NotificationFault | undefined;

  /**
   * The peer sends all routes of a family again (BoRR, RFC 7313): those that are here are stale until it has. Nothing happens
   * while what is left of an earlier session waits for End-of-RIB.
   */
  beginRefresh(peer: PeerId, family: Family): void;

  /** The peer asked for all routes again (RFC 2918), and is told where they begin and end if it wants (RFC 7313). */
  refresh(peer: PeerId, family: Family): void;

  /**
   * Does up to `units` of pending work (decision, egress, batches), one unit being about one prefix.
   *
   * @returns Whether work is left.
   */
  step(units: number): boolean;

  /**
   * Packs the next message for the peer, whole with its header.
   *
   * @param target Has room for the largest message of the session from `offset` on.
   * @returns Octets written; 0 when there is nothing to send now. End-of-RIB follows the first full pass.
   */
  nextUpdate(peer: PeerId, target: Uint8Array, offset: number): number;

  /** Whether {@link nextUpdate} has something for the peer. */
  hasUpdate(peer: PeerId): boolean;

  /** The next batch for the kernel, of at most `maxRecords`; `undefined` when there is none. */
  nextRouteBatch(maxRecords: number): RouteBatch | undefined;

  /**
   * The kernel has a batch of {@link nextRouteBatch}. Batches are answered for in their order; with `suppressFibPending` peers hear of
   * a prefix then.
   *
   * @param missing Prefixes of it that the kernel has no route of all the same: it refused them.
   */
  routesApplied(sequence: number, missing: readonly Prefix[]): void;

  /** The kernel has routes that were {@link routesApplied} as missing. */
  routesArrived(prefixes: readonly Prefix[]): void;

  /**
   * Ends the deferral of a restarting speaker (RFC 4724 section 4.1): selection begins, batches and UPDATEs flow,
   * and each family's batch stream ends its first full pass with `endOfRib`. Called by the session half when
   * the peers that came up have sent End-of-RIB, or the deferral time ran out.
   */
  endDeferral(): void;

  /** Families for which the peer has sent End-of-RIB since it came up. */
  endOfRibReceived(peer: PeerId): readonly Family[];

  /** Families for which we have sent End-of-RIB since the peer came up. */
  endOfRibSent(peer: PeerId): readonly Family[];

  /** Paths of the family that are accepted into the peer's Adj-RIB-In, stale ones among them. */
  received(peer: PeerId, family: Family): number;

  counters(peer: PeerId): RouteCounters;
  /** A page of the RIBs in prefix order, for the operator: {@link search} to its end. */
  routes(query: RouteQuery): RoutePage;
  /** Begins to look for a page, which takes its time in a large table. */
  search(query: RouteQuery): RouteSearch;
  /**
   * What route origins are validated by has changed (RFC 6811): routes that filters may treat otherwise now are looked
   * at again, in slices.
   *
   * @param tables In force; read from now on.
   * @param changed Prefixes of the VRPs that came or went.
   */
  vrpsChanged(tables: VrpTables, changed: readonly Prefix[] | 'all'): void;
  /**
   * Originates what an UPDATE announces, with its attributes but for the next hop, and ceases to originate what it
   * withdraws.
   *
   * @param body Without the 19-octet header; read only while the call lasts.
   * @param fourOctetAs AS numbers have four octets.
   * @returns Whether it was well-formed; otherwise nothing is announced.
   */
  originateUpdate(body: Uint8Array, fourOctetAs: boolean): boolean;
  /** Begins to tell somebody what is in a RIB: BMP, RFC 7854. Peers are unknown to it before they are told. */
  monitor(rib: MonitoredRib, family: Family): RibMonitor;
  /** Begins to write the RIBs as MRT (RFC 6396). */
  dump(options: TableDumpOptions): TableDump;
  /** Why a prefix is routed as it is, and why a peer has it or not. */
  explain(query: ExplainQuery): RouteExplanation;
  /** Sizes of tables, and counts of work. */
  statistics(): EngineStatistics;
  /** Classes of peers that are sent the same. */
  updateGroups(): readonly UpdateGroup[];
  /** Begins to count how the routes of a peer fare, of one family and in either direction. */
  census(peer: PeerId, family: Family): Sliced<PeerCensus>;
}

/** Index of a configured peer, given by the session half; reused only after the peer was removed. */
export type PeerId = number;

/** A router on a link of ours. */
export interface Gateway {
  readonly address: IpAddress;
  readonly device: string;
}

export interface InterfaceState {
  readonly name: string;
  /** Up and with carrier. */
  readonly usable: boolean;
  readonly addresses: readonly InterfaceAddress[];
  /** Neighbours there that do not answer ARP or neighbour solicitations; none if absent. */
  readonly unreachable?: readonly IpAddress[];
}

/** What OPEN negotiation settled. */
export interface EstablishedSession {
  readonly peer: PeerId;
  readonly config: PeerConfig;
  /** Our side of the session: AS number used towards this peer, and the TCP connection's address. */
  readonly localAsn: Asn;
  readonly localAddress: IpAddress;
  /** The interface, of a session between link-local addresses; absent: that of `localAddress`. */
  readonly device?: string;
  /** The peer's AS number, which its configuration may leave open. */
  readonly peerAsn: Asn;
  readonly peerRouterId: IpAddress;
  readonly families: readonly Family[];
  /** RFC 6793: AS numbers in AS_PATH take four octets. */
  readonly fourOctetAs: boolean;
  /** RFC 8950: families other than IPv6 whose next hops may be IPv6 addresses; absent: none. */
  readonly extendedNextHop?: readonly Family[];
  /** RFC 7313: the peer is told where a refresh begins and ends; absent: no. */
  readonly enhancedRefresh?: boolean;
  /** RFC 7911: families with path identifiers in what we take and in what we send; absent: none. */
  readonly addPath?: { readonly receive: readonly Family[]; readonly send: readonly Family[] };
  /** RFC 9494: the peer knows what LLGR_STALE means; absent: it does not. */
  readonly takesLongLivedStale?: boolean;
  /** Largest message either side may send, octets: 4096, or 65,535 (RFC 8654). */
  readonly maxMessageOctets: number;
}

/** A fault that ends the session; the shell sends it as NOTIFICATION. RFC 4271 section 6. */
export interface NotificationFault {
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
  /** For logs and `bgp summary`, one line. Holds no bytes from the network. */
  readonly reason: string;
}

export interface RouteCounters {
  /** By family: paths accepted into Adj-RIB-In, and of them stale. */
  readonly received: Readonly<Record<Family, number>>;
  readonly stale: Readonly<Record<Family, number>>;
  /** By family: paths that import rules refuse; they are kept for when the rules change. */
  readonly filtered: Readonly<Record<Family, number>>;
  /** By family: prefixes in Adj-RIB-Out. */
  readonly sent: Readonly<Record<Family, number>>;
  /** By family: what would be there as well if the peer might have more (`maxAdvertised`). */
  readonly heldBack: Readonly<Record<Family, number>>;
  readonly updatesReceived: number;
  readonly updatesSent: number;
  /** Paths or messages refused, by reason: `as-path-loop`, `treat-as-withdraw`, `attribute-discard`, … */
  readonly refused: Readonly<Record<string, number>>;
  /** Of them, paths that an import filter refused when they came, by filter and rule. */
  readonly refusedByRule: Readonly<Record<string, number>>;
}

export interface RouteQuery {
  readonly family: Family;
  /** Continue behind this prefix. */
  readonly after?: Prefix;
  readonly limit: number;
  /** Absent: all prefixes. */
  readonly prefix?: PrefixSelection;
  /** Paths from this peer alone. */
  readonly from?: PeerId;
  /** Absent, `all`; `refused`: those that import rules refuse; `accepted`: the others. */
  readonly paths?: 'all' | 'accepted' | 'refused';
  /** What this peer has from us, as it gets it; `from` and `paths` do not count then. */
  readonly advertisedTo?: PeerId;
}

/** Which prefixes: this one, it and all inside it, or the longest that covers it. */
export interface PrefixSelection {
  readonly prefix: Prefix;
  readonly match: 'exact' | 'longer' | 'longest';
}

/** An answer that takes its time in a large table, in slices. */
export interface Sliced<T> {
  /** @param units Prefixes to look at. @returns Whether some are left. */
  step(units: number): boolean;
  /** Once, after the last step. */
  result(): T;
}

/** A search for a page. */
export type RouteSearch = Sliced<RoutePage>;

/** What a dump of the RIBs shows: paths as import rules `accepted` them, or all as they were `received`. */
export type TableDumpView = 'accepted' | 'received';

export interface TableDumpOptions {
  readonly view: TableDumpView;
  /** UNIX time, seconds. */
  readonly nowSeconds: number;
  /** Since when a peer's session has been up, UNIX time, seconds; `undefined`: it is not up. */
  upSinceSeconds(peer: PeerId): number | undefined;
}

/** A dump, in slices. */
export interface TableDump {
  /**
   * @param units Prefixes and paths to look at, about.
   * @returns Whole records, maybe none; `undefined` at the end.
   */
  next(units: number): Uint8Array<ArrayBuffer> | undefined;
}

export interface RoutePage {
  readonly routes: readonly RouteView[];
  readonly next: Prefix | undefined;
}

/** One prefix with its paths, best first, decoded for people. */
export interface RouteView {
  readonly prefix: Prefix;
  readonly paths: readonly {
    /** Name of the peer; `null` if originated here. */
    readonly peer: string | null;
    /** Path identifier that the peer gave it; `null`: none. RFC 7911. */
    readonly pathId: number | null;
    readonly best: boolean;
    readonly multipath: boolean;
    /** Learned over iBGP. */
    readonly internal: boolean;
    readonly stale: boolean;
    readonly usable: boolean;
    /** Why import rules refuse it, with the rule if it was one of a filter; `null`: they do not. */
    readonly refused: string | null;
    readonly nextHop: IpAddress | null;
    readonly asPath: readonly number[];
    readonly origin: 'igp' | 'egp' | 'incomplete';
    readonly med: number | null;
    readonly localPref: number | null;
    /** What its origin is by the VRPs (RFC 6811); `null`: there are none, or it is originated here. */
    readonly rpki: OriginState | null;
    /** Standard ones, then large ones. */
    readonly communities: readonly string[];
    /** What route reflectors added. RFC 4456. */
    readonly originatorId: IpAddress | null;
    readonly clusterList: readonly IpAddress[];
  }[];
}
