import type { NotificationFault, PeerId } from '../rib/route-engine.ts';
import { endsForLong, hardReset } from '../wire/hard-reset.ts';
import { encodeKeepalive } from '../wire/header.ts';
import { notificationName } from '../wire/notification.ts';
import { encodeOpen, type Open } from '../wire/open.ts';
import { type Connection, ConnectionTable } from './connection.ts';
import { type Effect, type Event, step } from './fsm.ts';
import type { IdleHold } from './idle-hold.ts';
import { localAsn, localOpen, type Restart, withoutCapabilities } from './negotiation.ts';
import type { PeerContext } from './peer-events.ts';
import type { PeerTurn } from './peer-turn.ts';
import { Refreshes } from './refreshes.ts';
import { StaleRoutes } from './stale-routes.ts';
import { isSurvivable } from './survivable.ts';

export interface ConnectionDriverOptions {
  readonly id: PeerId;
  readonly context: PeerContext;
  readonly restart: Restart;
  /** A random number in 0..1: timers run for 0.75 to 1 of their time (RFC 4271 section 10). */
  readonly random: () => number;
  readonly turn: PeerTurn;
  readonly idleHold: IdleHold;
}

/**
 * Takes the connections of a peer from state to state, and says what that means for the session and for the routes of the
 * peer. Why a connection is started or stopped is `PeerMachine`'s affair.
 */
export class ConnectionDriver {
  readonly id: PeerId;
  readonly connections = new ConnectionTable();
  readonly stale = new StaleRoutes();
  readonly refreshes = new Refreshes();
  context: PeerContext;
  restart: Restart;
  /** The peer refuses optional parameters: the next OPEN has none. RFC 5492 section 3. */
  plain = false;
  readonly #random: () => number;
  readonly #turn: PeerTurn;
  readonly #idleHold: IdleHold;
  /** This process had a session with the peer, so what the kernel forwards for it is current. */
  #wasEstablished = false;

  constructor({ id, context, restart, random, turn, idleHold }: ConnectionDriverOptions) {
    this.id = id;
    this.context = context;
    this.restart = restart;
    this.#random = random;
    this.#turn = turn;
    this.#idleHold = idleHold;
  }

  /** Gives the event to the connection, and does what follows for the peer. */
  advance(connection: Connection, event: Event): void {
    const from = connection.state;
    const [to, ...effects] = step(from, event);
    connection.state = to;
    for (const effect of effects) this.#translate(connection, effect);
    if (to !== 'Established' && from === 'Established') this.#down(connection, event);
    if (to === 'Idle') this.#ended(connection, event);
    // Nothing to wait for: only what we dial is retried.
    else if (to === 'Active' && from === 'OpenSent' && connection.direction === 'incoming') {
      this.advance(connection, { type: 'Stop' });
    } else if (to === 'Established' && from !== 'Established') this.#up(connection);
  }

  #ended(connection: Connection, event: Event): void {
    this.connections.remove(connection);
    this.#turn.push({ type: 'forget', connection: connection.id });
    if (event.type === 'Stop' || event.type === 'OpenCollisionDump') return;
    const lastedMs = this.#turn.nowMs - (connection.establishedAtMs ?? this.#turn.nowMs);
    if (this.connections.isEmpty) this.#idleHold.failed(lastedMs);
  }

  #translate(connection: Connection, effect: Effect): void {
    const { id } = connection;
    switch (effect.type) {
      case 'connect':
        this.#turn.push({ type: 'dial', connection: id });
        return;
      case 'abandon':
        this.#turn.push({ type: 'close', connection: id });
        return;
      case 'send':
        this.#send(connection, effect.message);
        return;
      case 'release':
        this.#release(connection, effect.fault);
        return;
      default:
        this.#turn.push({ ...effect, connection: id });
    }
  }

  #release(
    { id, establishedAtMs, negotiated }: Connection,
    wanted: NotificationFault | undefined,
  ): void {
    if (!wanted) {
      this.#turn.push({ type: 'close', connection: id });
      return;
    }
    // Otherwise the peer would keep our routes: RFC 8538 section 3.1.
    const keepsOurs = establishedAtMs !== undefined && negotiated?.notificationRestart === true;
    const fault = keepsOurs && endsForLong(wanted) ? hardReset(wanted) : wanted;
    this.#turn.reason = `sent ${notificationName(fault)}: ${fault.reason}`;
    this.#turn.push({ type: 'close', connection: id, fault });
  }

  #send(connection: Connection, message: 'open' | 'keepalive'): void {
    const bytes =
      message === 'keepalive' ? encodeKeepalive() : encodeOpen(this.#ownOpen(connection));
    this.#turn.push({ type: 'send', connection: connection.id, message, bytes });
  }

  #ownOpen(connection: Connection): Open {
    const { speaker, config } = this.context;
    const preserved = this.#wasEstablished ? config.families : this.restart.preserved;
    const open = localOpen(speaker, config, { ...this.restart, preserved });
    connection.sent = this.plain ? withoutCapabilities(open) : open;
    return connection.sent;
  }

  #up(connection: Connection): void {
    const { negotiated, local } = connection;
    if (!negotiated || !local) throw new Error('Established without an OPEN');
    for (const other of this.connections.all) {
      if (other !== connection) this.advance(other, { type: 'OpenCollisionDump' });
    }
    connection.establishedAtMs = this.#turn.nowMs;
    this.#wasEstablished = true;
    const { gracefulRestart } = this.context.speaker;
    this.#turn.push(...this.stale.back(negotiated, gracefulRestart, this.#turn.nowMs));
    const { speaker, config } = this.context;
    const { interface: device } = config;
    const end = { localAddress: local, ...(device !== undefined && { device }) };
    const session = { peer: this.id, localAsn: localAsn(speaker, config), ...end };
    this.#turn.push({
      type: 'up',
      connection: connection.id,
      session: { ...session, ...negotiated, config },
    });
  }

  /** Seconds until the next attempt, as the FSM wants to know them. */
  retry<T extends 'Start' | 'TcpConnectionFails' | 'ConnectRetryTimerExpires'>(
    type: T,
  ): { readonly type: T; readonly retrySeconds: number } {
    return { type, retrySeconds: this.context.config.connectRetrySeconds * this.jitter() };
  }

  /** RFC 4271 section 10. */
  jitter(): number {
    return 0.75 + this.#random() / 4;
  }

  /** Routes stay under graceful restart: RFC 4724 section 4.2. */
  #down({ negotiated }: Connection, event: Event): void {
    const { gracefulRestart } = this.context.speaker;
    const { retain, effects } =
      negotiated && isSurvivable(event, negotiated.notificationRestart)
        ? this.stale.lost(negotiated, gracefulRestart, this.#turn.nowMs)
        : { retain: [], effects: this.stale.ended() };
    this.#turn.push(...this.refreshes.sessionEnded());
    this.#turn.push({ type: 'down', retain, reason: this.#turn.reason }, ...effects);
  }
}
