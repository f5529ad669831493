import type { Family, IpAddress } from '@overland/net';
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import type { EstablishedSession, NotificationFault } from '../rib/route-engine.ts';
import type { Notification } from '../wire/notification.ts';
import type { BfdChange } from './bfd-gate.ts';
import type { ConnectionTimer, State } from './fsm.ts';
import type { Negotiated, Restart } from './negotiation.ts';

/** Number of a TCP connection or an attempt at one; never reused by the peer. */
export type ConnectionId = number;

/** Timers of a peer. Those without a connection outlive connections. */
export type TimerName = ConnectionTimer | 'idleHold' | 'stale' | 'refresh';

export interface TimerKey {
  readonly timer: TimerName;
  /** Absent for `idleHold`, `stale` and `refresh`. */
  readonly connection?: ConnectionId;
}

/** What a peer needs to know of the configuration. */
export interface PeerContext {
  readonly speaker: SpeakerConfig;
  readonly config: PeerConfig;
}

/** What happens to a peer. */
export type PeerEvent =
  | { readonly type: 'start' }
  /** Without a fault: silently. */
  | { readonly type: 'stop'; readonly fault?: NotificationFault }
  /** The peer has dialled us. The number comes from `PeerMachine.nextConnection`. */
  | { readonly type: 'accepted'; readonly connection: ConnectionId; readonly local: IpAddress }
  /** Our dialling succeeded. */
  | { readonly type: 'connected'; readonly connection: ConnectionId; readonly local: IpAddress }
  /** TCP: refused, reset, closed by the peer. */
  | { readonly type: 'lost'; readonly connection: ConnectionId; readonly reason: string }
  /** The peer has sent everything of a family since its session came up: End-of-RIB. */
  | { readonly type: 'endOfRib'; readonly family: Family }
  /** A message other than UPDATE, or an UPDATE before Established. `body` is read during the call only. */
  | {
      readonly type: 'message';
      readonly connection: ConnectionId;
      readonly messageType: number;
      readonly body: Uint8Array;
    }
  /** The route engine or the deframer found a fault that ends the session. */
  | {
      readonly type: 'fault';
      readonly connection: ConnectionId;
      readonly fault: NotificationFault;
      /** How long the peer stays Idle, seconds; `Infinity`: until its limit is another one. Absent: the usual back-off. */
      readonly downSeconds?: number;
    }
  | ({ readonly type: 'timer' } & TimerKey)
  /** The link to a directly connected peer. */
  | { readonly type: 'link'; readonly usable: boolean }
  /** BFD with the peer has come up, gone down or been switched off. Only for peers that have `bfd`. */
  | ({ readonly type: 'bfd' } & BfdChange)
  /** Takes effect with the next OPEN. */
  | { readonly type: 'configure'; readonly context: PeerContext }
  | { readonly type: 'restart'; readonly restart: Restart };

/** What the shell must do for a peer, in order. */
export type PeerEffect =
  | { readonly type: 'dial'; readonly connection: ConnectionId }
  | {
      readonly type: 'send';
      readonly connection: ConnectionId;
      readonly message: 'open' | 'keepalive';
      /** Whole, with its header. */
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  /** Sends what `fault` says, if given, and closes TCP or gives up dialling. */
  | {
      readonly type: 'close';
      readonly connection: ConnectionId;
      readonly fault?: NotificationFault;
    }
  | ({ readonly type: 'arm'; readonly seconds: number } & TimerKey)
  | ({ readonly type: 'restart' } & TimerKey)
  | ({ readonly type: 'disarm' } & TimerKey)
  /** The connection is over: its timers too. */
  | { readonly type: 'forget'; readonly connection: ConnectionId }
  | { readonly type: 'up'; readonly connection: ConnectionId; readonly session: UpSession }
  /** The session ended; routes of `retain` stay as stale. */
  | { readonly type: 'down'; readonly retain: readonly Family[]; readonly reason: string }
  /** Routes kept from a session that is over are to go: they had their time, or the peer did not keep them. */
  | { readonly type: 'flush'; readonly families: readonly Family[]; readonly reason: string }
  /** What is kept of a session that is over becomes a last choice: the peer was not back in time. RFC 9494. */
  | { readonly type: 'longLived'; readonly families: readonly Family[]; readonly reason: string }
  /** The peer asks for everything again. */
  | { readonly type: 'refresh'; readonly family: Family }
  /** The peer sends everything again: what it has not sent by the end, a `flush`, is to go. RFC 7313. */
  | { readonly type: 'beginRefresh'; readonly family: Family }
  /** For logs and counters. */
  | { readonly type: 'state'; readonly from: State; readonly to: State; readonly reason: string }
  | { readonly type: 'received'; readonly notification: Notification };

/** An Established session, for the engine and the operator. */
export type UpSession = EstablishedSession & Negotiated;
