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

/** The connections of one peer: at most two, and their numbers. */
export class ConnectionTable {
  #connections: readonly Connection[] = [];
  #lastId = 0;

  /** A snapshot: it does not change while one goes through it. */
  get all(): readonly Connection[] {
    return this.#connections;
  }

  get isEmpty(): boolean {
    return this.#connections.length === 0;
  }

  /** The state of a peer is that of its connection which has come furthest. */
  get state(): State {
    return this.#connections.reduce<State>(
      (best, { state }) => (PROGRESS[state] > PROGRESS[best] ? state : best),
      'Idle',
    );
  }

  get established(): Connection | undefined {
    return this.#connections.find(({ state }) => state === 'Established');
  }

  /** A number that no connection has had. */
  nextId(): ConnectionId {
    this.#lastId += 1;
    return this.#lastId;
  }

  find(id: ConnectionId | undefined): Connection | undefined {
    return this.#connections.find((connection) => connection.id === id);
  }

  add(id: ConnectionId, direction: Connection['direction']): Connection {
    const connection: Connection = {
      id,
      direction,
      state: 'Idle',
      local: undefined,
      sent: undefined,
      negotiated: undefined,
      establishedAtMs: undefined,
    };
    this.#connections = [...this.#connections, connection];
    return connection;
  }

  remove(connection: Connection): void {
    this.#connections = this.#connections.filter((other) => other !== connection);
  }
}
