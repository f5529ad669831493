import { endsForLong } from '../wire/hard-reset.ts';
import type { Event } from './fsm.ts';

/**
 * Whether routes of the peer may stay after what ended its session.
 *
 * @param afterNotification Both sides announced the N bit: not only when TCP was lost, RFC 8538 section 4.
 */
export function isSurvivable(event: Event, afterNotification: boolean): boolean {
  if (event.type === 'TcpConnectionFails') return true;
  if (!afterNotification) return false;
  if (event.type === 'NotifMsg') return event.isHard !== true;
  if (event.type === 'MessageFault') return !endsForLong(event.fault);
  return event.type === 'HoldTimerExpires';
}
