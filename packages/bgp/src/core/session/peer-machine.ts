import type { IpAddress } from '@overland/net';
import type { NotificationFault, PeerId } from '../rib/route-engine.ts';
import { BgpError, CeaseSubcode, ErrorCode, OpenSubcode } from '../wire/bgp-error.ts';
import { endsForLong, hardReset } from '../wire/hard-reset.ts';
import { encodeKeepalive, MAX_MESSAGE_OCTETS } from '../wire/header.ts';
import { decodeMessage, type Message } from '../wire/message.ts';
import { type Notification, notificationName } from '../wire/notification.ts';
import { encodeOpen, type Open } from '../wire/open.ts';
import type { RouteRefresh } from '../wire/route-refresh.ts';
import { type BfdChange, BfdGate, type BfdState } from './bfd-gate.ts';
import { canBeReplaced, isReplacedBy, keptDirection } from './collision.ts';
import { type Connection, ConnectionTable } from './connection.ts';
import { type Effect, type Event, type State, step } from './fsm.ts';
import { IdleHold } from './idle-hold.ts';
import {
  localAsn,
  localOpen,
  negotiate,
  type Restart,
  withoutCapabilities,
} from './negotiation.ts';
import type { ConnectionId, PeerContext, PeerEffect, PeerEvent, TimerKey } from './peer-events.ts';
import { Refreshes } from './refreshes.ts';
import { StaleRoutes } from './stale-routes.ts';

export interface PeerMachineOptions {
  readonly id: PeerId;
  readonly context: PeerContext;
  readonly restart: Restart;
  /** A random number in 0..1: timers run for 0.75 to 1 of their time (RFC 4271 section 10). */
  readonly random: () => number;
}

const BFD_DOWN = new BgpError(
  { code: ErrorCode.Cease, subcode: CeaseSubcode.BfdDown },
  'BFD has lost the path to the peer',
);

/**
 * One configured peer: up to two connections, collision between them, damping, and the helper's side of graceful
 * restart. Events in, effects out; the time is an argument.
 */
export class PeerMachine {
  readonly id: PeerId;
  readonly #random: () => number;
  readonly #idleHold = new IdleHold();
  readonly #stale = new StaleRoutes();
  readonly #connections = new ConnectionTable();
  readonly #bfd = new BfdGate();
  readonly #refreshes = new Refreshes();
  #context: PeerContext;
  #restart: Restart;
  #running = false;
  #linkUsable = true;
  /** The peer refuses optional parameters: the next OPEN has none. RFC 5492 section 3. */
  #plain = false;
  /** This process had a session with the peer, so what the kernel forwards for it is current. */
  #wasEstablished = false;
  #nowMs = 0;
  #reason = '';
  #effects: PeerEffect[] = [];

  constructor({ id, context, restart, random }: PeerMachineOptions) {
    this.id = id;
    this.#context = context;
    this.#restart = restart;
    this.#random = random;
  }

  /** State of the connection that has come furthest. */
  get state(): State {
    return this.#connections.state;
  }

  /** The connection that is Established. */
  get established(): ConnectionId | undefined {
    return this.#connections.established?.id;
  }

  /** Whether the peer is kept down because it went above its limit. */
  get isHeldDown(): boolean {
    return this.#idleHold.isPenalty;
  }

  /** What BFD last said of the path; `undefined`: nothing, or the session does not follow it. */
  get bfd(): BfdState | undefined {
    return this.#context.config.bfd && this.#bfd.state;
  }

  /** Whether the session is not opened because BFD is not up. */
  get awaitsBfd(): boolean {
    return this.#running && !this.#bfd.isOpen(this.#context.config.bfd?.strict ?? false);
  }

  /** Number for a connection that the peer has dialled; to be told in `accepted`. */
  nextConnection(): ConnectionId {
    return this.#connections.nextId();
  }

  /**
   * Takes one event.
   *
   * @param nowMs Monotonic time, milliseconds.
   * @returns What to do, in order. Never throws, whatever the peer sends.
   */
  handle(event: PeerEvent, nowMs: number): readonly PeerEffect[] {
    const from = this.state;
    this.#effects = [];
    this.#nowMs = nowMs;
    this.#reason = '';
    this.#dispatch(event);
    this.#settle();
    const to = this.state;
    if (to !== from) this.#effects.push({ type: 'state', from, to, reason: this.#reason });
    return this.#effects;
  }

  #dispatch(event: PeerEvent): void {
    switch (event.type) {
      case 'start':
        this.#running = true;
        return;
      case 'stop':
        this.#stop(event.fault);
        return;
      case 'link':
        this.#setLink(event.usable);
        return;
      case 'bfd':
        this.#bfdChanged(event);
        return;
      case 'configure':
        this.#configure(event.context);
        return;
      case 'restart':
        this.#restart = event.restart;
        return;
      case 'accepted':
        this.#accept(event.connection, event.local);
        return;
      case 'timer':
        this.#timer(event);
        return;
      default: {
        const connection = this.#connections.find(event.connection);
        if (connection) this.#connectionEvent(connection, event);
      }
    }
  }

  #connectionEvent(
    connection: Connection,
    event: Extract<PeerEvent, { type: 'connected' | 'lost' | 'fault' | 'message' }>,
  ): void {
    switch (event.type) {
      case 'connected':
        connection.local = event.local;
        this.#advance(connection, { type: 'TcpConnected' });
        return;
      case 'lost':
        this.#reason = event.reason;
        this.#advance(connection, this.#retry('TcpConnectionFails'));
        return;
      case 'fault':
        if (event.downSeconds !== undefined) {
          this.#idleHold.penalise(event.downSeconds, this.#nowMs);
        }
        this.#advance(connection, { type: 'MessageFault', fault: event.fault });
        return;
      case 'message':
        this.#message(connection, decodeMessage(event.messageType, event.body));
        return;
    }
  }

  #message(connection: Connection, message: Message): void {
    switch (message.type) {
      case 'open':
        this.#open(connection, message.open);
        return;
      case 'notification':
        this.#notification(connection, message.notification);
        return;
      case 'keepalive':
        this.#advance(connection, { type: 'KeepAliveMsg' });
        return;
      case 'update':
        this.#advance(connection, { type: 'UpdateMsg' });
        return;
      case 'route-refresh':
        this.#routeRefresh(connection, message.refresh);
        return;
      case 'fault':
        this.#advance(connection, { type: 'MessageFault', fault: message.fault });
    }
  }

  #open(connection: Connection, received: Open): void {
    const { sent } = connection;
    if (connection.state !== 'OpenSent' || !sent) {
      this.#advance(connection, { type: 'BgpOpen', holdSeconds: 0, keepaliveSeconds: 0 });
      return;
    }
    const negotiated = negotiate(this.#context.config, sent, received);
    if (negotiated instanceof BgpError) {
      this.#advance(connection, { type: 'MessageFault', fault: negotiated });
      return;
    }
    if (!this.#collide(connection, sent, received)) {
      this.#advance(connection, { type: 'OpenCollisionDump' });
      return;
    }
    connection.negotiated = negotiated;
    const { holdSeconds, keepaliveSeconds } = negotiated;
    const jittered = keepaliveSeconds * this.#jitter();
    this.#advance(connection, { type: 'BgpOpen', holdSeconds, keepaliveSeconds: jittered });
  }

  /** Settles a collision when an OPEN comes, RFC 4271 section 6.8. @returns Whether the connection may go on. */
  #collide(connection: Connection, sent: Open, received: Open): boolean {
    for (const rival of this.#connections.all) {
      if (rival === connection) continue;
      if (rival.state === 'Established') {
        if (!isReplacedBy(rival, received, this.#nowMs)) return false;
        this.#reason = 'the peer has restarted: it opened a new connection';
        this.#advance(rival, this.#retry('TcpConnectionFails'));
      } else if (rival.state === 'OpenConfirm') {
        if (keptDirection(sent, received) !== connection.direction) return false;
        this.#advance(rival, { type: 'OpenCollisionDump' });
      } else if (rival.state !== 'OpenSent') {
        this.#advance(rival, { type: 'Stop' });
      }
    }
    return true;
  }

  #notification(connection: Connection, notification: Notification): void {
    const { code, subcode } = notification;
    this.#reason = `received ${notificationName(notification)}`;
    this.#effects.push({ type: 'received', notification });
    const refusesParameters =
      code === ErrorCode.OpenMessage && subcode === OpenSubcode.UnsupportedOptionalParameter;
    const wasPlain = this.#plain;
    if (connection.state === 'OpenSent' || connection.state === 'OpenConfirm') {
      this.#plain =
        refusesParameters && !wasPlain && this.#context.config.families.includes('ipv4');
    }
    const isHard = code === ErrorCode.Cease && subcode === CeaseSubcode.HardReset;
    this.#advance(connection, { type: 'NotifMsg', isHard });
    if (this.#plain && !wasPlain) this.#idleHold.forgive();
  }

  #routeRefresh(connection: Connection, refresh: RouteRefresh | undefined): void {
    this.#advance(connection, { type: 'RouteRefreshMsg' });
    const { state, negotiated } = connection;
    if (state !== 'Established' || !refresh || !negotiated?.families.includes(refresh.family)) {
      return;
    }
    const { kind, family } = refresh;
    if (kind === 'request') this.#effects.push({ type: 'refresh', family });
    else if (negotiated.enhancedRefresh) {
      const { stalePathSeconds } = this.#context.speaker.gracefulRestart;
      this.#effects.push(...this.#refreshes.heard(kind, family, stalePathSeconds));
    }
  }

  #accept(id: ConnectionId, local: IpAddress): void {
    const session = this.#connections.established;
    const isTaken = session !== undefined && !canBeReplaced(session);
    if (!this.#mayOpen || this.#idleHold.isOn || isTaken) {
      this.#effects.push({ type: 'close', connection: id });
      return;
    }
    const earlier = this.#connections.all.find(
      ({ direction, state }) => direction === 'incoming' && state !== 'Established',
    );
    if (earlier) this.#advance(earlier, { type: 'Stop' });
    const connection = this.#connections.add(id, 'incoming');
    connection.local = local;
    this.#advance(connection, { type: 'StartPassive' });
    this.#advance(connection, { type: 'TcpConnected' });
  }

  #timer({ timer, connection: id }: TimerKey): void {
    if (timer === 'idleHold') {
      this.#idleHold.expired();
      if (this.#mayOpen && this.#connections.isEmpty) this.#begin();
      return;
    }
    if (timer === 'refresh') {
      this.#effects.push(...this.#refreshes.expired());
      return;
    }
    if (timer === 'stale') {
      this.#effects.push(...this.#stale.flush('the peer has not sent them again in time'));
      return;
    }
    const connection = this.#connections.find(id);
    if (!connection) return;
    if (timer === 'hold') this.#advance(connection, { type: 'HoldTimerExpires' });
    else if (timer === 'keepalive') this.#advance(connection, { type: 'KeepaliveTimerExpires' });
    else this.#advance(connection, this.#retry('ConnectRetryTimerExpires'));
  }

  #configure(context: PeerContext): void {
    const before = this.#context.config.maxPrefixes;
    this.#context = context;
    if (this.#idleHold.limitChanged(before, context.config.maxPrefixes)) this.#endIdleHold();
    this.#applyGate();
  }

  #stop(fault: NotificationFault | undefined): void {
    this.#running = false;
    this.#reason = 'stopped';
    this.#releaseAll(fault ? { type: 'Stop', fault } : { type: 'Stop' });
    this.#effects.push(...this.#stale.flush('the peer is stopped'));
  }

  #setLink(usable: boolean): void {
    if (usable === this.#linkUsable) return;
    this.#linkUsable = usable;
    this.#idleHold.forgive();
    if (usable) {
      this.#reason = 'the link to the peer is up';
      return;
    }
    this.#reason = 'the link to the peer is down';
    this.#releaseAll({ type: 'Stop' });
  }

  /** The path is known to be lost long before the hold time is over: RFC 5882 section 4, RFC 9384. */
  #bfdChanged({ state, controlPlaneIndependent }: BfdChange): void {
    const isLost = this.#bfd.change(state);
    if (!this.#context.config.bfd) return;
    this.#reason = `BFD is ${state}`;
    if (isLost) {
      this.#endSessions(BFD_DOWN);
      // What fails along with the peer's BGP may be its restart; what does not is the forwarding: section 4.3.
      if (controlPlaneIndependent) this.#effects.push(...this.#stale.flush(BFD_DOWN.reason));
    } else if (state === 'up') {
      this.#idleHold.forgive();
      this.#endIdleHold();
    }
    this.#applyGate();
  }

  /** Ends what has come as far as an OPEN. */
  #endSessions(fault: NotificationFault): void {
    for (const connection of this.#connections.all) {
      const { state } = connection;
      if (state === 'Connect' || state === 'Active') continue;
      this.#advance(connection, { type: 'MessageFault', fault });
    }
  }

  /** Nothing is under way towards a session that has to wait for BFD; one that is Established stays. */
  #applyGate(): void {
    if (!this.awaitsBfd) return;
    for (const connection of this.#connections.all) {
      if (connection.state !== 'Established') this.#advance(connection, { type: 'Stop' });
    }
  }

  get #mayOpen(): boolean {
    return this.#running && this.#linkUsable && !this.awaitsBfd;
  }

  #releaseAll(event: Event): void {
    for (const connection of this.#connections.all) this.#advance(connection, event);
    this.#endIdleHold();
  }

  #endIdleHold(): void {
    if (this.#idleHold.end()) this.#effects.push({ type: 'disarm', timer: 'idleHold' });
  }

  /** Begins again when nothing is under way, at once or after the back-off. */
  #settle(): void {
    if (!this.#mayOpen || this.#idleHold.isOn) return;
    if (!this.#connections.isEmpty) return;
    const seconds = this.#idleHold.begin(this.#nowMs, this.#jitter());
    if (seconds === 0) this.#begin();
    else if (seconds < Number.POSITIVE_INFINITY) {
      this.#effects.push({ type: 'arm', timer: 'idleHold', seconds });
    }
  }

  #begin(): void {
    const connection = this.#connections.add(this.nextConnection(), 'outgoing');
    const passive: Event = { type: 'StartPassive' };
    this.#advance(connection, this.#context.config.passive ? passive : this.#retry('Start'));
  }

  #advance(connection: Connection, event: Event): void {
    const from = connection.state;
    const [to, ...effects] = step(from, event);
    connection.state = to;
    for (const effect of effects) this.#translate(connection, effect);
    if (to !== 'Established' && from === 'Established') this.#down(connection, event);
    if (to === 'Idle') this.#ended(connection, event);
    // Nothing to wait for: only what we dial is retried.
    else if (to === 'Active' && from === 'OpenSent' && connection.direction === 'incoming') {
      this.#advance(connection, { type: 'Stop' });
    } else if (to === 'Established' && from !== 'Established') this.#up(connection);
  }

  #ended(connection: Connection, event: Event): void {
    this.#connections.remove(connection);
    this.#effects.push({ type: 'forget', connection: connection.id });
    if (event.type === 'Stop' || event.type === 'OpenCollisionDump') return;
    const lastedMs = this.#nowMs - (connection.establishedAtMs ?? this.#nowMs);
    if (this.#connections.isEmpty) this.#idleHold.failed(lastedMs);
  }

  #translate(connection: Connection, effect: Effect): void {
    const { id } = connection;
    switch (effect.type) {
      case 'connect':
        this.#effects.push({ type: 'dial', connection: id });
        return;
      case 'abandon':
        this.#effects.push({ type: 'close', connection: id });
        return;
      case 'send':
        this.#send(connection, effect.message);
        return;
      case 'release':
        this.#release(connection, effect.fault);
        return;
      default:
        this.#effects.push({ ...effect, connection: id });
    }
  }

  #release(
    { id, establishedAtMs, negotiated }: Connection,
    wanted: NotificationFault | undefined,
  ): void {
    if (!wanted) {
      this.#effects.push({ type: 'close', connection: id });
      return;
    }
    // Otherwise the peer would keep our routes: RFC 8538 section 3.1.
    const keepsOurs = establishedAtMs !== undefined && negotiated?.notificationRestart === true;
    const fault = keepsOurs && endsForLong(wanted) ? hardReset(wanted) : wanted;
    this.#reason = `sent ${notificationName(fault)}: ${fault.reason}`;
    this.#effects.push({ type: 'close', connection: id, fault });
  }

  #send(connection: Connection, message: 'open' | 'keepalive'): void {
    const bytes =
      message === 'keepalive' ? encodeKeepalive() : encodeOpen(this.#ownOpen(connection));
    this.#effects.push({ type: 'send', connection: connection.id, message, bytes });
  }

  #ownOpen(connection: Connection): Open {
    const { speaker, config } = this.#context;
    const preserved = this.#wasEstablished ? config.families : this.#restart.preserved;
    const open = localOpen(speaker, config, { ...this.#restart, preserved });
    connection.sent = this.#plain ? withoutCapabilities(open) : open;
    return connection.sent;
  }

  #up(connection: Connection): void {
    const { negotiated, local } = connection;
    if (!negotiated || !local) throw new Error('Established without an OPEN');
    for (const other of this.#connections.all) {
      if (other !== connection) this.#advance(other, { type: 'OpenCollisionDump' });
    }
    connection.establishedAtMs = this.#nowMs;
    this.#wasEstablished = true;
    const { stalePathSeconds } = this.#context.speaker.gracefulRestart;
    this.#effects.push(...this.#stale.back(negotiated, stalePathSeconds, this.#nowMs));
    const { speaker, config } = this.#context;
    const session = { peer: this.id, localAsn: localAsn(speaker, config), localAddress: local };
    this.#effects.push({
      type: 'up',
      connection: connection.id,
      session: { ...session, ...negotiated, config, maxMessageOctets: MAX_MESSAGE_OCTETS },
    });
  }

  /** Seconds until the next attempt, as the FSM wants to know them. */
  #retry<T extends 'Start' | 'TcpConnectionFails' | 'ConnectRetryTimerExpires'>(
    type: T,
  ): { readonly type: T; readonly retrySeconds: number } {
    return { type, retrySeconds: this.#context.config.connectRetrySeconds * this.#jitter() };
  }

  /** RFC 4271 section 10. */
  #jitter(): number {
    return 0.75 + this.#random() / 4;
  }

  /** Routes stay under graceful restart: RFC 4724 section 4.2. */
  #down({ negotiated }: Connection, event: Event): void {
    const { stalePathSeconds } = this.#context.speaker.gracefulRestart;
    const { retain, effects } =
      negotiated && isSurvivable(event, negotiated.notificationRestart)
        ? this.#stale.lost(negotiated, stalePathSeconds, this.#nowMs)
        : { retain: [], effects: this.#stale.ended() };
    this.#effects.push(...this.#refreshes.sessionEnded());
    this.#effects.push({ type: 'down', retain, reason: this.#reason }, ...effects);
  }
}

/**
 * Whether routes of the peer may stay after what ended its session.
 *
 * @param afterNotification Both sides announced the N bit: not only when TCP was lost, RFC 8538 section 4.
 */
function isSurvivable(event: Event, afterNotification: boolean): boolean {
  if (event.type === 'TcpConnectionFails') return true;
  if (!afterNotification) return false;
  if (event.type === 'NotifMsg') return event.isHard !== true;
  if (event.type === 'MessageFault') return !endsForLong(event.fault);
  return event.type === 'HoldTimerExpires';
}
