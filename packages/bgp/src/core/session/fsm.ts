import type { NotificationFault } from '../rib/route-engine.ts';
import { BgpError, CeaseSubcode, ErrorCode } from '../wire/bgp-error.ts';

/** States of one connection. RFC 4271 section 8.2.2. */
export type State = 'Idle' | 'Connect' | 'Active' | 'OpenSent' | 'OpenConfirm' | 'Established';

/** Timers of one connection. RFC 4271 section 8.1.3. */
export type ConnectionTimer = 'connectRetry' | 'hold' | 'keepalive';

/** Events of one connection; the numbers are RFC 4271 section 8.1's. Jitter has been applied to all seconds. */
export type Event =
  /** 1, 3. */
  | { readonly type: 'Start'; readonly retrySeconds: number }
  /** 4, 5: wait to be dialled. */
  | { readonly type: 'StartPassive' }
  /** 2, 8. Without a fault the connection is closed silently, so that a graceful restart helper keeps our routes. */
  | { readonly type: 'Stop'; readonly fault?: NotificationFault }
  /** 9. */
  | { readonly type: 'ConnectRetryTimerExpires'; readonly retrySeconds: number }
  /** 10. */
  | { readonly type: 'HoldTimerExpires' }
  /** 11. */
  | { readonly type: 'KeepaliveTimerExpires' }
  /** 16, 17. */
  | { readonly type: 'TcpConnected' }
  /** 18. */
  | { readonly type: 'TcpConnectionFails'; readonly retrySeconds: number }
  /** 19, after negotiation. Hold time 0: neither timer runs. */
  | { readonly type: 'BgpOpen'; readonly holdSeconds: number; readonly keepaliveSeconds: number }
  /** 21, 22, 28: header, OPEN or UPDATE is at fault. */
  | { readonly type: 'MessageFault'; readonly fault: NotificationFault }
  /** 23: the connection lost a collision. */
  | { readonly type: 'OpenCollisionDump' }
  /** 24, 25. Hard: routes of the peer are to go, RFC 8538. */
  | { readonly type: 'NotifMsg'; readonly isHard?: boolean }
  /** 26. */
  | { readonly type: 'KeepAliveMsg' }
  /** 27. */
  | { readonly type: 'UpdateMsg' }
  /** RFC 2918. */
  | { readonly type: 'RouteRefreshMsg' };

/** What the shell must do, in order. The core itself does nothing. */
export type Effect =
  | { readonly type: 'connect' }
  /** Gives up the TCP connection or the attempt, but keeps the timers. */
  | { readonly type: 'abandon' }
  | { readonly type: 'send'; readonly message: 'open' | 'keepalive' }
  | { readonly type: 'arm'; readonly timer: ConnectionTimer; readonly seconds: number }
  /** Runs the timer again for as long as it was armed for; nothing if it was not. */
  | { readonly type: 'restart'; readonly timer: ConnectionTimer }
  | { readonly type: 'disarm'; readonly timer: ConnectionTimer }
  /** Sends the NOTIFICATION if there is a fault, drops the TCP connection and every timer. */
  | { readonly type: 'release'; readonly fault?: NotificationFault };

export type Step = readonly [next: State, ...effects: Effect[]];

/** Hold time while waiting for an OPEN, seconds. RFC 4271 section 8.2.2, OpenSent. */
const LARGE_HOLD_SECONDS = 240;

const arm = (timer: ConnectionTimer, seconds: number): Effect => ({ type: 'arm', timer, seconds });
const disarm = (timer: ConnectionTimer): Effect => ({ type: 'disarm', timer });
const send = (message: 'open' | 'keepalive'): Effect => ({ type: 'send', message });
const connect: Effect = { type: 'connect' };
const abandon: Effect = { type: 'abandon' };

const idle = (fault?: NotificationFault): Step =>
  fault ? ['Idle', { type: 'release', fault }] : ['Idle', { type: 'release' }];

const dial = ({ retrySeconds }: { readonly retrySeconds: number }): Step => [
  'Connect',
  connect,
  arm('connectRetry', retrySeconds),
];

const redial = ({ retrySeconds }: { readonly retrySeconds: number }): Step => [
  'Connect',
  abandon,
  connect,
  arm('connectRetry', retrySeconds),
];

const retryLater = ({ retrySeconds }: { readonly retrySeconds: number }): Step => [
  'Active',
  abandon,
  disarm('hold'),
  arm('connectRetry', retrySeconds),
];

const opened: Step = [
  'OpenSent',
  disarm('connectRetry'),
  send('open'),
  arm('hold', LARGE_HOLD_SECONDS),
];

const stop = ({ fault }: { readonly fault?: NotificationFault }): Step => idle(fault);
const fail = (code: number, subcode: number, reason: string): Step =>
  idle(new BgpError({ code, subcode }, reason));
const holdExpired = (): Step => fail(ErrorCode.HoldTimerExpired, 0, 'hold timer expired');
const collided = (): Step =>
  fail(ErrorCode.Cease, CeaseSubcode.ConnectionCollision, 'the other connection is kept');

/** The peer is heard from in Established: constants, because this is the path of every UPDATE. */
const HEARD: Step = ['Established', { type: 'restart', timer: 'hold' }];
const STILL_CONNECTING = ['Connect'] as const satisfies Step;

type Row = { readonly [E in Event as E['type']]?: (event: E) => Step };

/** One row per state, one cell per event. An absent cell is "any other event" of RFC 4271 section 8.2.2. */
const TRANSITIONS: { readonly [S in State]: Row } = {
  Idle: {
    Start: dial,
    StartPassive: () => ['Active'],
  },
  Connect: {
    Start: () => STILL_CONNECTING,
    StartPassive: () => STILL_CONNECTING,
    Stop: () => idle(),
    ConnectRetryTimerExpires: redial,
    TcpConnected: () => opened,
    // The RFC goes to Idle here, where connections from the peer are refused. As in BIRD and FRR we stay open to them.
    TcpConnectionFails: retryLater,
  },
  Active: {
    Start: () => ['Active'],
    StartPassive: () => ['Active'],
    Stop: () => idle(),
    ConnectRetryTimerExpires: dial,
    TcpConnected: () => opened,
    TcpConnectionFails: retryLater,
  },
  OpenSent: {
    Start: () => ['OpenSent'],
    StartPassive: () => ['OpenSent'],
    Stop: stop,
    HoldTimerExpires: holdExpired,
    TcpConnectionFails: retryLater,
    BgpOpen: ({ holdSeconds, keepaliveSeconds }) => [
      'OpenConfirm',
      send('keepalive'),
      ...(holdSeconds === 0
        ? [disarm('hold')]
        : [arm('hold', holdSeconds), arm('keepalive', keepaliveSeconds)]),
    ],
    MessageFault: ({ fault }) => idle(fault),
    OpenCollisionDump: collided,
    NotifMsg: () => idle(),
  },
  OpenConfirm: {
    Start: () => ['OpenConfirm'],
    StartPassive: () => ['OpenConfirm'],
    Stop: stop,
    HoldTimerExpires: holdExpired,
    KeepaliveTimerExpires: () => [
      'OpenConfirm',
      send('keepalive'),
      { type: 'restart', timer: 'keepalive' },
    ],
    TcpConnectionFails: () => idle(),
    MessageFault: ({ fault }) => idle(fault),
    OpenCollisionDump: collided,
    NotifMsg: () => idle(),
    KeepAliveMsg: () => HEARD,
  },
  Established: {
    Start: () => ['Established'],
    StartPassive: () => ['Established'],
    Stop: stop,
    HoldTimerExpires: holdExpired,
    KeepaliveTimerExpires: () => [
      'Established',
      send('keepalive'),
      { type: 'restart', timer: 'keepalive' },
    ],
    TcpConnectionFails: () => idle(),
    MessageFault: ({ fault }) => idle(fault),
    OpenCollisionDump: collided,
    NotifMsg: () => idle(),
    KeepAliveMsg: () => HEARD,
    UpdateMsg: () => HEARD,
    RouteRefreshMsg: () => HEARD,
  },
};

/** Finite State Machine Error subcodes. RFC 6608 section 3. */
const UNEXPECTED_IN: { readonly [S in State]?: number } = {
  OpenSent: 1,
  OpenConfirm: 2,
  Established: 3,
};

/** Advances one connection. Pure: the same state and event give the same step. */
export function step(state: State, event: Event): Step {
  const cell = TRANSITIONS[state][event.type] as ((event: Event) => Step) | undefined;
  if (cell) return cell(event);
  if (state === 'Idle') return ['Idle'];
  const subcode = UNEXPECTED_IN[state];
  if (subcode === undefined) return idle();
  return fail(ErrorCode.FiniteStateMachine, subcode, `${event.type} in ${state}`);
}
