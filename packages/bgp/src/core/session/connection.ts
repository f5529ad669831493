import type { IpAddress } from '@overland/net';
import type { Open } from '../wire/open.ts';
import type { State } from './fsm.ts';
import type { Negotiated } from './negotiation.ts';
import type { ConnectionId } from './peer-events.ts';

/** One TCP connection of a peer, or an attempt at one, with what is known of it so far. */
export interface Connection {
  readonly id: ConnectionId;
  readonly direction: 'outgoing' | 'incoming';
  state: State;
  /** Our address; known once TCP is connected. */
  local: IpAddress | undefined;
  sent: Open | undefined;
  negotiated: Negotiated | undefined;
  establishedAtMs: number | undefined;
}

const PROGRESS: { readonly [S in State]: number } = {
  Idle: 0,
  Active: 1,
  Connect: 2,
  OpenSent: 3,
  OpenConfirm: 4,
  Established: 5,
};

/** The state of a peer is that of its connection which has come furthest. */
export function furthestState(connections: readonly Connection[]): State {
  return connections.reduce<State>(
    (best, { state }) => (PROGRESS[state] > PROGRESS[best] ? state : best),
    'Idle',
  );
}
