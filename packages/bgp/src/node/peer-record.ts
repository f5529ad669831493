import type { Family } from '@overland/net';
import type { State } from '../core/session/fsm.ts';
import type { UpSession } from '../core/session/peer-events.ts';
import { type Notification, notificationName } from '../core/wire/notification.ts';
import type { EventDetail } from './event-log.ts';
import { type MessageCounts, noMessages } from './message-counters.ts';
import { NotificationCounts } from './notification-counts.ts';
import type { OpenPair } from './open-exchange.ts';

/** A NOTIFICATION that ended a session, or kept one from coming up. */
export interface NotificationRecord extends Notification {
  readonly direction: 'sent' | 'received';
}

/** The end of a session. */
interface ResetRecord {
  readonly atMs: number;
  readonly reason: string;
  /** Absent: TCP was lost, or closed without a word. */
  readonly notification: NotificationRecord | undefined;
}

/** What is remembered of a peer for the operator. Times are `performance.now()`, milliseconds. */
export class PeerRecord {
  /** Who follows what happens. */
  readonly tell: (event: EventDetail) => void;
  readonly received: MessageCounts = noMessages();
  readonly sent: MessageCounts = noMessages();
  readonly notifications = new NotificationCounts();
  state: State = 'Idle';
  session: UpSession | undefined;
  /** The OPENs of the session. */
  opens: OpenPair | undefined;
  /** When it last became or ceased to be Established; `undefined`: never. */
  changedMs: number | undefined;
  /** When a message last came, and went. */
  lastReadMs: number | undefined;
  lastWriteMs: number | undefined;
  timesUp = 0;
  timesDown = 0;
  lastError: string | undefined;
  lastReset: ResetRecord | undefined;
  /** The last one since the session came up, or was last tried. */
  lastNotification: NotificationRecord | undefined;
  /** Message of the peer's operator (RFC 9003), cleaned; shown to ours, never logged at `info` or above. */
  lastCommunication: string | undefined;

  constructor(tell: (event: EventDetail) => void) {
    this.tell = tell;
  }

  changedState(to: State): void {
    const from = this.state;
    this.state = to;
    if (isConversation(from) || isConversation(to)) this.tell({ type: 'state', from, to });
  }

  wentUp(session: UpSession, nowMs: number): void {
    const { families, holdSeconds } = session;
    this.tell({ type: 'up', families, holdSeconds });
    this.session = session;
    this.changedMs = nowMs;
    this.timesUp += 1;
    this.lastNotification = undefined;
  }

  wentDown(reason: string, retained: readonly Family[], nowMs: number): void {
    this.tell({ type: 'down', reason, retained });
    this.session = undefined;
    this.changedMs = nowMs;
    this.timesDown += 1;
    this.lastError = reason;
    this.lastReset = { atMs: nowMs, reason, notification: this.lastNotification };
  }

  /** No session comes about. */
  failed(reason: string): void {
    if (reason !== this.lastError) this.tell({ type: 'error', reason });
    this.lastError = reason;
  }

  notified(
    direction: NotificationRecord['direction'],
    { code, subcode, data }: Notification,
    communication: string | undefined,
  ): void {
    const name = notificationName({ code, subcode, data });
    const said = communication ?? null;
    this.tell({ type: 'notification', direction, code, subcode, name, communication: said });
    this.notifications.add(direction, { code, subcode, data });
    this.lastNotification = { direction, code, subcode, data };
    this.lastCommunication = communication;
  }
}

/** Whether a peer has been reached. */
function isConversation(state: State): boolean {
  return state === 'OpenSent' || state === 'OpenConfirm' || state === 'Established';
}
