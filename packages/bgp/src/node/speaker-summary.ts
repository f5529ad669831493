import type { Asn, Family, IpAddress, Prefix } from '@overland/net';
import type { SpeakerConfig } from '../core/config.ts';
import type { RouteCounters } from '../core/rib/route-engine.ts';
import type { AddPathFamilies } from '../core/session/add-path.ts';
import type { BfdState } from '../core/session/bfd-gate.ts';
import type { State } from '../core/session/fsm.ts';
import { isUnheard, placeOf } from '../core/session/unnumbered.ts';
import type { BgpRole } from '../core/wire/role.ts';
import type { DrainPhase } from './drain.ts';
import type { RangeSummary } from './dynamic-peers.ts';
import { type MessageCounts, totalMessages } from './message-counters.ts';
import type { PeerRunner } from './peer-runner.ts';

/** What `overland bgp summary` shows, as data. Names follow FRR's columns. */
export interface SpeakerSummary {
  readonly routerId: IpAddress;
  readonly asn: Asn;
  readonly role: SpeakerConfig['role'];
  /** Restarted, and still waiting for the peers' routes. */
  readonly deferring: boolean;
  readonly drain: {
    readonly phase: DrainPhase;
    /** Configured peers that are not in {@link peers}, because the speaker is drained. */
    readonly peersKeptDown: number;
  };
  /** Connections from addresses that are no peer and have no room in a listen range, closed before OPEN. */
  readonly connectionsRefused: number;
  /** CPU time of the longest piece of work since the start, milliseconds: see invariant 5 of the architecture. */
  readonly longestTurnMs: number;
  readonly peers: readonly PeerSummary[];
  readonly listenRanges: readonly RangeSummary[];
}

export interface PeerSummary {
  readonly name: string;
  readonly description: string | undefined;
  readonly address: IpAddress;
  /** As configured: `10.1.0.1`, `fe80::1%eth1`, or `eth1` for an unnumbered peer. */
  readonly place: string;
  /** Unnumbered, and nobody is heard on the interface: the address is `::`. */
  readonly awaitsRouter: boolean;
  /** The listen range that it came from; `null`: it is configured. */
  readonly range: Prefix | null;
  readonly version: 4;
  /** `null`: it may be one of several, and the peer has not told which. */
  readonly asn: Asn | null;
  readonly localAsn: Asn;
  /** Our role towards the peer: RFC 9234. */
  readonly bgpRole: BgpRole | null;
  /** Configured; what was negotiated is in `session`. */
  readonly families: readonly Family[];
  readonly state: State;
  /** Kept down because it went above its limit of prefixes. */
  readonly prefixLimitReached: boolean;
  /** What BFD says of the path; `null`: nothing, or the session does not follow it. */
  readonly bfd: BfdState | null;
  /** No session is opened before BFD is up. */
  readonly awaitsBfd: boolean;
  /** Since it was last Established, or ceased to be; `null`: never. */
  readonly upDownSeconds: number | null;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  readonly received: Readonly<MessageCounts>;
  readonly sent: Readonly<MessageCounts>;
  /** Octets read from the socket and not worked off. */
  readonly inQueueOctets: number;
  /** Octets written and not taken by the kernel. */
  readonly outQueueOctets: number;
  readonly prefixesReceived: Readonly<Record<Family, number>>;
  readonly prefixesStale: Readonly<Record<Family, number>>;
  /** Refused by import rules, and kept for when these change. */
  readonly prefixesFiltered: Readonly<Record<Family, number>>;
  readonly prefixesSent: Readonly<Record<Family, number>>;
  /** Not sent because the peer has as many as it may. */
  readonly prefixesHeldBack: Readonly<Record<Family, number>>;
  readonly refused: RouteCounters['refused'];
  readonly refusedByRule: RouteCounters['refusedByRule'];
  /** Of the session; absent fields mean that there is none. */
  readonly session: SessionSummary | null;
  readonly timesEstablished: number;
  readonly timesDropped: number;
  /** Why there is no session, or why the last one ended. */
  readonly lastError: string | null;
  /** What the peer's operator wrote into the last Cease. */
  readonly lastCommunication: string | null;
}

export interface SessionSummary {
  readonly peerRouterId: IpAddress;
  readonly localAddress: IpAddress;
  readonly families: readonly Family[];
  readonly holdSeconds: number;
  readonly keepaliveSeconds: number;
  readonly fourOctetAs: boolean;
  /** A refresh is told to begin and to end: RFC 7313. */
  readonly enhancedRefresh: boolean;
  /** Families with path identifiers: RFC 7911. */
  readonly addPath: AddPathFamilies;
  /** The peer's role, if it told it: RFC 9234. */
  readonly peerRole: BgpRole | null;
  readonly gracefulRestart: boolean;
  /** Routes stay after a NOTIFICATION and after the hold time, too: RFC 8538. */
  readonly notificationRestart: boolean;
}

export function summarisePeer(
  runner: PeerRunner,
  speaker: SpeakerConfig,
  counters: RouteCounters,
): PeerSummary {
  const { config, record } = runner;
  const { session, changedMs } = record;
  return {
    name: config.name,
    description: config.description,
    address: config.address,
    place: placeOf(config),
    awaitsRouter: isUnheard(config),
    range: config.range ?? null,
    version: 4,
    asn: session?.peerAsn ?? (typeof config.asn === 'number' ? config.asn : null),
    localAsn: config.localAsn ?? speaker.asn,
    bgpRole: config.role ?? null,
    families: config.families,
    state: record.state,
    prefixLimitReached: runner.isHeldDown,
    bfd: runner.bfd ?? null,
    awaitsBfd: runner.awaitsBfd,
    upDownSeconds:
      changedMs === undefined ? null : Math.floor((performance.now() - changedMs) / 1000),
    messagesReceived: totalMessages(record.received),
    messagesSent: totalMessages(record.sent),
    received: { ...record.received },
    sent: { ...record.sent },
    inQueueOctets: runner.unreadOctets,
    outQueueOctets: runner.unsentOctets,
    prefixesReceived: counters.received,
    prefixesStale: counters.stale,
    prefixesFiltered: counters.filtered,
    prefixesSent: counters.sent,
    prefixesHeldBack: counters.heldBack,
    refused: counters.refused,
    refusedByRule: counters.refusedByRule,
    session: session
      ? {
          peerRouterId: session.peerRouterId,
          localAddress: session.localAddress,
          families: session.families,
          holdSeconds: session.holdSeconds,
          keepaliveSeconds: session.keepaliveSeconds,
          fourOctetAs: session.fourOctetAs,
          enhancedRefresh: session.enhancedRefresh,
          addPath: session.addPath,
          peerRole: session.peerRole ?? null,
          gracefulRestart: session.gracefulRestart !== undefined,
          notificationRestart: session.notificationRestart,
        }
      : null,
    timesEstablished: record.timesUp,
    timesDropped: record.timesDown,
    lastError: record.lastError ?? null,
    lastCommunication: record.lastCommunication ?? null,
  };
}
