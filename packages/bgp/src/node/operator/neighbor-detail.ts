import type { Family, IpAddress } from '@overland/net';
import type { PeerConfig, SpeakerConfig } from '../../core/config.ts';
import type { RouteCounters } from '../../core/rib/route-engine.ts';
import type { PrefixLimit } from '../../core/session/prefix-limit.ts';
import { isExternal } from '../../core/session/remote-as.ts';
import type { GracefulRestart } from '../../core/wire/capabilities.ts';
import { notificationName } from '../../core/wire/notification.ts';
import type { NotificationRecord } from '../peer-record.ts';
import type { PeerRunner } from '../peer-runner.ts';
import { type PeerSummary, summarisePeer } from '../speaker-summary.ts';
import type { Endpoints } from '../transport.ts';
import { type CapabilityView, capabilityViews } from './capability-views.ts';

/** Everything there is to say of one peer: FRR's `show bgp neighbor`, as data. */
export interface NeighborDetail extends PeerSummary {
  readonly linkType: 'external' | 'internal';
  readonly localRouterId: IpAddress;
  readonly configured: ConfiguredSession;
  /** Since a message last came, and went; `null`: never. */
  readonly lastReadSeconds: number | null;
  readonly lastWriteSeconds: number | null;
  /** Ports of the session's TCP connection; `null`: no session. */
  readonly endpoints: Endpoints | null;
  /** Of the session; none if there is none. */
  readonly capabilities: readonly CapabilityView[];
  /** What each side announced in its OPEN; `null`: nothing, or no session. */
  readonly gracefulRestart: {
    readonly local: GracefulRestart | null;
    readonly remote: GracefulRestart | null;
    readonly stalePathSeconds: number;
  };
  readonly endOfRib: { readonly sent: readonly Family[]; readonly received: readonly Family[] };
  /** `null`: no session of it has ended. */
  readonly lastReset: LastReset | null;
}

/** What the configuration says of the session. */
interface ConfiguredSession {
  readonly holdSeconds: number;
  readonly keepaliveSeconds: number;
  readonly connectRetrySeconds: number;
  readonly port: number;
  readonly passive: boolean;
  readonly ttl: number;
  /** GTSM (RFC 5082): the least TTL that is taken; `null`: any. */
  readonly minTtl: number | null;
  /** TCP-MD5 (RFC 2385) is required. */
  readonly hasPassword: boolean;
  readonly maxPrefixes: PrefixLimit | null;
  /** Most prefixes to the peer, by family; `null`: all. */
  readonly maxAdvertised: NonNullable<PeerConfig['maxAdvertised']> | null;
  /** Several paths of a prefix, RFC 7911. */
  readonly addPath: NonNullable<PeerConfig['addPath']> | null;
}

interface LastReset {
  readonly secondsAgo: number;
  readonly reason: string;
  /** `null`: TCP was lost, or closed without a word. */
  readonly notification: NotificationView | null;
}

/** A NOTIFICATION in words and as it was. RFC 4271 section 4.5. */
interface NotificationView {
  readonly direction: NotificationRecord['direction'];
  readonly code: number;
  readonly subcode: number;
  readonly name: string;
  /** Data field, hexadecimal. */
  readonly data: string;
}

/** What the engine knows of the peer. */
export interface PeerRoutes {
  readonly counters: RouteCounters;
  readonly endOfRib: NeighborDetail['endOfRib'];
}

export function describeNeighbor(
  runner: PeerRunner,
  speaker: SpeakerConfig,
  { counters, endOfRib }: PeerRoutes,
): NeighborDetail {
  const { config, record } = runner;
  const { session, lastReset } = record;
  const summary = summarisePeer(runner, speaker, counters);
  return {
    ...summary,
    linkType: isExternal(config.asn, summary.localAsn) ? 'external' : 'internal',
    localRouterId: speaker.routerId,
    configured: {
      holdSeconds: config.holdSeconds,
      keepaliveSeconds: config.keepaliveSeconds,
      connectRetrySeconds: config.connectRetrySeconds,
      port: config.port,
      passive: config.passive,
      ttl: config.ttl,
      minTtl: config.minTtl ?? null,
      hasPassword: config.password !== undefined,
      maxPrefixes: config.maxPrefixes ?? null,
      maxAdvertised: config.maxAdvertised ?? null,
      addPath: config.addPath ?? null,
    },
    lastReadSeconds: secondsSince(record.lastReadMs),
    lastWriteSeconds: secondsSince(record.lastWriteMs),
    endpoints: runner.endpoints ?? null,
    capabilities: session ? capabilityViews(session) : [],
    gracefulRestart: {
      local: session?.advertisedCapabilities.gracefulRestart ?? null,
      remote: session?.receivedCapabilities.gracefulRestart ?? null,
      stalePathSeconds: speaker.gracefulRestart.stalePathSeconds,
    },
    endOfRib,
    lastReset: lastReset
      ? {
          secondsAgo: secondsSince(lastReset.atMs) ?? 0,
          reason: lastReset.reason,
          notification: lastReset.notification ? viewOf(lastReset.notification) : null,
        }
      : null,
  };
}

function viewOf(notification: NotificationRecord): NotificationView {
  const { direction, code, subcode, data } = notification;
  return {
    direction,
    code,
    subcode,
    name: notificationName(notification),
    data: Buffer.from(data).toString('hex'),
  };
}

function secondsSince(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.floor((performance.now() - ms) / 1000);
}
