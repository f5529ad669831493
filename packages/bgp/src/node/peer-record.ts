import type { State } from '../core/session/fsm.ts';
import type { UpSession } from '../core/session/peer-events.ts';
import { type MessageCounts, noMessages } from './message-counters.ts';

/** What is remembered of a peer for the operator. Times are `performance.now()`, milliseconds. */
export class PeerRecord {
  readonly received: MessageCounts = noMessages();
  readonly sent: MessageCounts = noMessages();
  state: State = 'Idle';
  session: UpSession | undefined;
  /** When it last became or ceased to be Established; `undefined`: never. */
  changedMs: number | undefined;
  timesUp = 0;
  timesDown = 0;
  lastError: string | undefined;
  /** Message of the peer's operator (RFC 9003), cleaned; shown to ours, never logged at `info` or above. */
  lastCommunication: string | undefined;

  wentUp(session: UpSession, nowMs: number): void {
    this.session = session;
    this.changedMs = nowMs;
    this.timesUp += 1;
  }

  wentDown(nowMs: number): void {
    this.session = undefined;
    this.changedMs = nowMs;
    this.timesDown += 1;
  }
}
