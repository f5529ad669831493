import type { IpAddress } from '@overland/net';
import type { NotificationFault, PeerId } from '../rib/route-engine.ts';
import { BgpError, CeaseSubcode, ErrorCode } from '../wire/bgp-error.ts';
import { decodeMessage } from '../wire/message.ts';
import { type BfdChange, BfdGate, type BfdState } from './bfd-gate.ts';
import { canBeReplaced } from './collision.ts';
import type { Connection } from './connection.ts';
import { ConnectionDriver } from './connection-driver.ts';
import type { Event, State } from './fsm.ts';
import { IdleHold } from './idle-hold.ts';
import { MessageReceiver } from './message-receiver.ts';
import type { Restart } from './negotiation.ts';
import type { ConnectionId, PeerContext, PeerEffect, PeerEvent, TimerKey } from './peer-events.ts';
import { PeerTurn } from './peer-turn.ts';

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
  readonly #turn = new PeerTurn();
  readonly #idleHold = new IdleHold();
  readonly #bfd = new BfdGate();
  readonly #driver: ConnectionDriver;
  readonly #messages: MessageReceiver;
  #running = false;
  #linkUsable = true;

  constructor(options: PeerMachineOptions) {
    this.id = options.id;
    const [turn, idleHold] = [this.#turn, this.#idleHold];
    this.#driver = new ConnectionDriver({ ...options, turn, idleHold });
    this.#messages = new MessageReceiver(this.#driver, turn, idleHold);
  }

  /** State of the connection that has come furthest. */
  get state(): State {
    return this.#driver.connections.state;
  }

  /** The connection that is Established. */
  get established(): ConnectionId | undefined {
    return this.#driver.connections.established?.id;
  }

  /** Whether the peer is kept down because it went above its limit. */
  get isHeldDown(): boolean {
    return this.#idleHold.isPenalty;
  }

  /** What BFD last said of the path; `undefined`: nothing, or the session does not follow it. */
  get bfd(): BfdState | undefined {
    return this.#driver.context.config.bfd && this.#bfd.state;
  }

  /** Whether the session is not opened because BFD is not up. */
  get awaitsBfd(): boolean {
    return this.#running && !this.#bfd.isOpen(this.#driver.context.config.bfd?.strict ?? false);
  }

  /** Whether routes of a session that is over wait for the peer. */
  get keepsRoutes(): boolean {
    return this.#driver.stale.any;
  }

  /** Whether the peer would be no poorer for being forgotten: nothing is under way, kept for it or held against it. */
  get isAtRest(): boolean {
    const isWaiting = this.#driver.connections.all.every(({ state }) => state === 'Active');
    return isWaiting && !this.keepsRoutes && !this.#idleHold.isOn;
  }

  /** Number for a connection that the peer has dialled; to be told in `accepted`. */
  nextConnection(): ConnectionId {
    return this.#driver.connections.nextId();
  }

  /**
   * Takes one event.
   *
   * @param nowMs Monotonic time, milliseconds.
   * @returns What to do, in order. Never throws, whatever the peer sends.
   */
  handle(event: PeerEvent, nowMs: number): readonly PeerEffect[] {
    const from = this.state;
    this.#turn.begin(nowMs);
    this.#dispatch(event);
    this.#settle();
    const to = this.state;
    if (to !== from) this.#turn.push({ type: 'state', from, to, reason: this.#turn.reason });
    return this.#turn.effects;
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
        this.#driver.restart = event.restart;
        return;
      case 'endOfRib':
        this.#turn.push(...this.#driver.stale.synchronised(event.family, this.#turn.nowMs));
        return;
      case 'accepted':
        this.#accept(event.connection, event.local);
        return;
      case 'timer':
        this.#timer(event);
        return;
      default: {
        const connection = this.#driver.connections.find(event.connection);
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
        this.#driver.advance(connection, { type: 'TcpConnected' });
        return;
      case 'lost':
        this.#turn.reason = event.reason;
        this.#driver.advance(connection, this.#driver.retry('TcpConnectionFails'));
        return;
      case 'fault':
        if (event.downSeconds !== undefined) {
          this.#idleHold.penalise(event.downSeconds, this.#turn.nowMs);
        }
        this.#driver.advance(connection, { type: 'MessageFault', fault: event.fault });
        return;
      case 'message':
        this.#messages.receive(connection, decodeMessage(event.messageType, event.body));
        return;
    }
  }

  #accept(id: ConnectionId, local: IpAddress): void {
    const session = this.#driver.connections.established;
    const isTaken = session !== undefined && !canBeReplaced(session);
    if (!this.#mayOpen || this.#idleHold.isOn || isTaken) {
      this.#turn.push({ type: 'close', connection: id });
      return;
    }
    const earlier = this.#driver.connections.all.find(
      ({ direction, state }) => direction === 'incoming' && state !== 'Established',
    );
    if (earlier) this.#driver.advance(earlier, { type: 'Stop' });
    const connection = this.#driver.connections.add(id, 'incoming');
    connection.local = local;
    this.#driver.advance(connection, { type: 'StartPassive' });
    this.#driver.advance(connection, { type: 'TcpConnected' });
  }

  #timer({ timer, connection: id }: TimerKey): void {
    if (timer === 'idleHold') {
      this.#idleHold.expired();
      if (this.#mayOpen && this.#driver.connections.isEmpty) this.#begin();
      return;
    }
    if (timer === 'refresh') {
      this.#turn.push(...this.#driver.refreshes.expired());
      return;
    }
    if (timer === 'stale') {
      this.#turn.push(...this.#driver.stale.expired(this.#turn.nowMs));
      return;
    }
    const connection = this.#driver.connections.find(id);
    if (!connection) return;
    if (timer === 'hold') this.#driver.advance(connection, { type: 'HoldTimerExpires' });
    else if (timer === 'keepalive')
      this.#driver.advance(connection, { type: 'KeepaliveTimerExpires' });
    else this.#driver.advance(connection, this.#driver.retry('ConnectRetryTimerExpires'));
  }

  #configure(context: PeerContext): void {
    const before = this.#driver.context.config.maxPrefixes;
    this.#driver.context = context;
    if (this.#idleHold.limitChanged(before, context.config.maxPrefixes)) this.#endIdleHold();
    this.#applyGate();
  }

  #stop(fault: NotificationFault | undefined): void {
    this.#running = false;
    this.#turn.reason = 'stopped';
    this.#releaseAll(fault ? { type: 'Stop', fault } : { type: 'Stop' });
    this.#turn.push(...this.#driver.stale.flush('the peer is stopped'));
  }

  #setLink(usable: boolean): void {
    if (usable === this.#linkUsable) return;
    this.#linkUsable = usable;
    this.#idleHold.forgive();
    if (usable) {
      this.#turn.reason = 'the link to the peer is up';
      return;
    }
    this.#turn.reason = 'the link to the peer is down';
    this.#releaseAll({ type: 'Stop' });
  }

  /** The path is known to be lost long before the hold time is over: RFC 5882 section 4, RFC 9384. */
  #bfdChanged({ state, controlPlaneIndependent }: BfdChange): void {
    const isLost = this.#bfd.change(state);
    if (!this.#driver.context.config.bfd) return;
    this.#turn.reason = `BFD is ${state}`;
    if (isLost) {
      this.#endSessions(BFD_DOWN);
      // What fails along with the peer's BGP may be its restart; what does not is the forwarding: section 4.3.
      if (controlPlaneIndependent) this.#turn.push(...this.#driver.stale.flush(BFD_DOWN.reason));
    } else if (state === 'up') {
      this.#idleHold.forgive();
      this.#endIdleHold();
    }
    this.#applyGate();
  }

  /** Ends what has come as far as an OPEN. */
  #endSessions(fault: NotificationFault): void {
    for (const connection of this.#driver.connections.all) {
      const { state } = connection;
      if (state === 'Connect' || state === 'Active') continue;
      this.#driver.advance(connection, { type: 'MessageFault', fault });
    }
  }

  /** Nothing is under way towards a session that has to wait for BFD; one that is Established stays. */
  #applyGate(): void {
    if (!this.awaitsBfd) return;
    for (const connection of this.#driver.connections.all) {
      if (connection.state !== 'Established') this.#driver.advance(connection, { type: 'Stop' });
    }
  }

  get #mayOpen(): boolean {
    return this.#running && this.#linkUsable && !this.awaitsBfd;
  }

  #releaseAll(event: Event): void {
    for (const connection of this.#driver.connections.all) this.#driver.advance(connection, event);
    this.#endIdleHold();
  }

  #endIdleHold(): void {
    if (this.#idleHold.end()) this.#turn.push({ type: 'disarm', timer: 'idleHold' });
  }

  /** Begins again when nothing is under way, at once or after the back-off. */
  #settle(): void {
    if (!this.#mayOpen || this.#idleHold.isOn) return;
    if (!this.#driver.connections.isEmpty) return;
    const seconds = this.#idleHold.begin(this.#turn.nowMs, this.#driver.jitter());
    if (seconds === 0) this.#begin();
    else if (seconds < Number.POSITIVE_INFINITY) {
      this.#turn.push({ type: 'arm', timer: 'idleHold', seconds });
    }
  }

  #begin(): void {
    const connection = this.#driver.connections.add(this.nextConnection(), 'outgoing');
    const passive: Event = { type: 'StartPassive' };
    this.#driver.advance(
      connection,
      this.#driver.context.config.passive ? passive : this.#driver.retry('Start'),
    );
  }
}
