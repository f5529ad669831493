import { compareAddresses } from '@overland/net';
import type { Open } from '../wire/open.ts';
import type { Connection } from './connection.ts';

/** A connection that comes this soon after a session began may be a left-over of a collision. */
const COLLISION_WINDOW_MS = 5000;

/**
 * Which of two colliding connections stays: the one dialled by the side with the higher BGP Identifier,
 * with the higher AS number if those are equal. RFC 4271 section 6.8, RFC 6286 section 2.3.
 */
export function keptDirection(sent: Open, received: Open): Connection['direction'] {
  const order = compareAddresses(sent.routerId, received.routerId) || sent.asn - received.asn;
  return order > 0 ? 'outgoing' : 'incoming';
}

/** Whether routes outlive the session, so that the peer may replace it. RFC 4724 section 5. */
export function canBeReplaced({ negotiated }: Connection): boolean {
  return (negotiated?.gracefulRestart?.families.length ?? 0) > 0;
}

/**
 * Whether the OPEN on a new connection means that the peer has restarted, and the session is dead without our
 * having heard of it. RFC 4724 section 5. It may instead have lost a collision and been on its way when the
 * session began; but only what the peer dialled collides with what we dialled.
 */
export function isReplacedBy(session: Connection, received: Open, nowMs: number): boolean {
  return (
    received.capabilities.gracefulRestart?.restarted === true ||
    session.direction === 'incoming' ||
    nowMs - (session.establishedAtMs ?? nowMs) > COLLISION_WINDOW_MS
  );
}
