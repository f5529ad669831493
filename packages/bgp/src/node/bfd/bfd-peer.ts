import type { IpAddress } from '@overland/net';
import type { BfdSettings, PathVerdict } from '../../core/bfd/bfd-session.ts';
import type { BfdState } from '../../core/bfd/control-packet.ts';

/** A BFD session that somebody wants. Identity: peer, device and kind; one session serves all who want it. */
export interface BfdPeer {
  readonly peer: IpAddress;
  /** Interface to stay on; needed for an IPv6 link-local address. */
  readonly device?: string;
  /** Source address; absent: the kernel picks. */
  readonly localAddress?: IpAddress;
  /** RFC 5883, on port 4784, instead of RFC 5881. */
  readonly multihop: boolean;
  /** Drop packets with a lower TTL, multihop only; absent: take everything. Single hop always asks for 255. */
  readonly minTtl?: number;
  readonly settings: BfdSettings;
}

export type BfdPeerKey = string;

/** `10.0.0.1`, `fe80::1%eth1`, `10.9.9.9 multihop`. */
export function bfdPeerKey({
  peer,
  device,
  multihop,
}: Pick<BfdPeer, 'peer' | 'device' | 'multihop'>): BfdPeerKey {
  return `${peer}${device === undefined ? '' : `%${device}`}${multihop ? ' multihop' : ''}`;
}

/** What somebody who relies on a session needs to know of it. */
export interface BfdReport {
  readonly key: BfdPeerKey;
  readonly verdict: PathVerdict;
  /** Both sides have set the C bit. RFC 5882 section 4.3.2. */
  readonly controlPlaneIndependent: boolean;
}

/** A session as `overland bfd status` shows it. */
export interface BfdStatus extends BfdReport {
  readonly peer: IpAddress;
  readonly device: string | null;
  readonly localAddress: IpAddress | null;
  readonly multihop: boolean;
  readonly minTtl: number | null;
  readonly passive: boolean;
  readonly state: BfdState;
  /** Since the state is what it is, seconds. */
  readonly stateSeconds: number;
  readonly diagnostic: string;
  readonly local: BfdTimers & { readonly discriminator: number };
  readonly remote: BfdTimers & {
    readonly discriminator: number;
    readonly state: BfdState;
    readonly diagnostic: string;
  };
  /** Interval of our packets before jitter; `null`: the peer wants none. */
  readonly transmitMs: number | null;
  /** Silence after which the peer is gone; 0: nothing was heard of it. */
  readonly detectionMs: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly sendErrors: number;
  /** Times the session has come up, and left Up. */
  readonly timesUp: number;
  readonly timesDown: number;
  /** Why the last packet could not be sent. */
  readonly sendError: string | null;
}

interface BfdTimers {
  readonly detectMultiplier: number;
  readonly receiveMs: number;
  readonly transmitMs: number;
}

/** Everything `overland bfd status` shows. */
export interface BfdSummary {
  /** How the kernel schedules the process. */
  readonly scheduling: 'fifo' | 'nice' | 'normal';
  readonly sessions: readonly BfdStatus[];
  /** Datagrams that were not taken, by reason. */
  readonly discarded: Readonly<Record<string, number>>;
}
