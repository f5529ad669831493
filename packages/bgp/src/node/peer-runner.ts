import type { Socket } from 'node:net';
import type { Family, IpAddress } from '@overland/net';
import type { Logger } from 'pino';
import type { PeerConfig } from '../core/config.ts';
import type { NotificationFault, PeerId, RouteEngine } from '../core/rib/route-engine.ts';
import type { BfdState } from '../core/session/bfd-gate.ts';
import type { Restart } from '../core/session/negotiation.ts';
import type {
  ConnectionId,
  PeerContext,
  PeerEffect,
  PeerEvent,
  TimerKey,
  TimerName,
  UpSession,
} from '../core/session/peer-events.ts';
import type { PeerMachine, PeerMachineOptions } from '../core/session/peer-machine.ts';
import { PrefixLimitWatch } from '../core/session/prefix-limit.ts';
import { BgpError, ErrorCode } from '../core/wire/bgp-error.ts';
import type { Frame } from '../core/wire/deframer.ts';
import { HEADER_OCTETS, MAX_MESSAGE_OCTETS, MessageType } from '../core/wire/header.ts';
import {
  communicationOf,
  encodeNotification,
  notificationName,
} from '../core/wire/notification.ts';
import { encodeRouteRefresh } from '../core/wire/route-refresh.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { EventLog } from './event-log.ts';
import { countMessage } from './message-counters.ts';
import { PeerConnections } from './peer-connections.ts';
import { PeerRecord } from './peer-record.ts';
import { TimerTable } from './timer-table.ts';
import type { Endpoints, OpenSocket, StreamTap, Transport } from './transport.ts';

/** What a peer needs of the speaker. */
export interface PeerHost {
  readonly engine: RouteEngine;
  readonly log: Logger;
  readonly buffers: BufferPool;
  readonly random: () => number;
  readonly events: EventLog;
  readonly openSocket: OpenSocket;
  /** Makes the machine of a peer. */
  machine(options: PeerMachineOptions): PeerMachine;
  /** @throws {KeyError} If the peer has a password that cannot be had. */
  keyOf(peer: PeerConfig): Uint8Array | undefined;
  /** There may be work: input, output, routes. */
  wake(): void;
  sessionUp(peer: PeerRunner, session: UpSession): void;
  sessionDown(peer: PeerRunner): void;
  /** Nothing seems to be under way with a peer from a listen range. */
  seemsAtRest(peer: PeerRunner): void;
  /** An UPDATE has come. @param body Without its header; read only while the call lasts. */
  updateComes(peer: PeerRunner, body: Uint8Array): void;
  /** An UPDATE of so many octets has gone to the engine. */
  updateTaken(peer: PeerRunner, octets: number): void;
}

/** RFC 9687 section 3.1: eight minutes, or twice the hold time if that is more. */
const LEAST_SEND_HOLD_MS = 8 * 60_000;
/** A new connection must not overtake the NOTIFICATION on the old one: a helper would take it for a restart. */
const RESET_MS = 500;
/** TCP also counts the time in which a peer that is busy has no room for our octets: decision 0151. */
const LEAST_SILENCE_MS = 60_000;
/** An UPDATE without a header that is an End-of-RIB, with Extended Length. RFC 4724 section 2. */
const MAX_END_OF_RIB_OCTETS = 11;
/** Octets of messages between two looks at the clock: one look takes 0.3 µs where the kernel has no fast clock. */
const CLOCK_OCTETS = 1024;
const EMPTY = new Uint8Array(0);

/** The shell of one peer: sockets and timers feed its machine one event at a time, effects are carried out in order. */
export class PeerRunner {
  readonly id: PeerId;
  readonly record: PeerRecord;
  #config: PeerConfig;
  readonly #host: PeerHost;
  #log: Logger;
  readonly #machine: PeerMachine;
  readonly #timers = new TimerTable<string>(
    (key) => this.#mayFire(parseTimerKey(key)),
    (key) => this.handle({ type: 'timer', ...parseTimerKey(key) }),
  );
  readonly #connections: PeerConnections;
  readonly #limitWatch = new PrefixLimitWatch();
  /** Families whose End-of-RIB the machine has been told of. */
  readonly #synchronised = new Set<Family>();
  readonly #queue: PeerEvent[] = [];
  #draining = false;
  /** Of a reset, until it begins anew. */
  #beginning: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly id: PeerId;
    readonly context: PeerContext;
    readonly restart: Restart;
    readonly host: PeerHost;
  }) {
    const { id, context, restart, host } = options;
    this.id = id;
    this.record = new PeerRecord((event) => host.events.add(this.#config, event));
    this.#config = context.config;
    this.#host = host;
    this.#log = host.log.child({ peer: context.config.name });
    this.#machine = host.machine({ id, context, restart, random: host.random });
    this.#connections = new PeerConnections({
      openSocket: host.openSocket,
      keyOf: (config) => host.keyOf(config),
      handle: (event) => this.handle(event),
      wake: () => host.wake(),
      lost: (connection, reason) => {
        if (this.record.session === undefined) this.record.failed(reason);
        this.handle({ type: 'lost', connection, reason });
      },
    });
  }

  get config(): PeerConfig {
    return this.#config;
  }

  /** Whether it is kept down because it went above its limit of prefixes. */
  get isHeldDown(): boolean {
    return this.#machine.isHeldDown;
  }

  /** What BFD says of the path to the peer; `undefined`: nothing, or the session does not follow it. */
  get bfd(): BfdState | undefined {
    return this.#machine.bfd;
  }

  /** Whether no session is opened because BFD is not up. */
  get awaitsBfd(): boolean {
    return this.#machine.awaitsBfd;
  }

  /** Whether routes of a session that is over wait for it. */
  get keepsRoutes(): boolean {
    return this.#machine.keepsRoutes;
  }

  /** Whether it would be no poorer for being forgotten. */
  get isAtRest(): boolean {
    return this.#machine.isAtRest;
  }

  /** Who listens in on its connections. */
  get taps(): Set<StreamTap> {
    return this.#connections.taps;
  }

  get hasInput(): boolean {
    return this.#connections.hasInput;
  }

  get unreadOctets(): number {
    return this.#connections.unreadOctets;
  }

  get unsentOctets(): number {
    return this.#connections.unsentOctets;
  }

  /** TCP of the Established session. */
  get endpoints(): Endpoints | undefined {
    return this.#establishedTransport()?.endpoints;
  }

  start(): void {
    this.handle({ type: 'start' });
  }

  /** @param fault Sent as NOTIFICATION; without one TCP is closed silently, so that helpers keep our routes. */
  stop(fault?: NotificationFault): void {
    clearTimeout(this.#beginning);
    this.handle(fault ? { type: 'stop', fault } : { type: 'stop' });
  }

  /** Ends the session, or what keeps one from coming up, and begins anew. */
  reset(fault: NotificationFault): void {
    this.#log.info({ reason: fault.reason }, 'session reset');
    this.record.tell({ type: 'cleared' });
    this.stop(fault);
    this.#beginning = setTimeout(() => this.start(), RESET_MS);
  }

  /**
   * Asks the peer for its routes again. RFC 2918.
   *
   * @returns The families asked for: none without a session, or if the peer does not announce the capability.
   */
  requestRefresh(): readonly Family[] {
    const { session } = this.record;
    const transport = this.#establishedTransport();
    if (!session?.receivedCapabilities.routeRefresh || !transport) return [];
    for (const family of session.families) {
      transport.write(encodeRouteRefresh({ kind: 'request', family }));
      this.record.sent.routeRefresh += 1;
      this.record.tell({ type: 'refresh', direction: 'sent', kind: 'request', family });
    }
    this.record.lastWriteMs = performance.now();
    return session.families;
  }

  configure(context: PeerContext): void {
    const isRenamed = context.config.name !== this.#config.name;
    if (isRenamed) this.#log = this.#host.log.child({ peer: context.config.name });
    this.#config = context.config;
    this.#limitWatch.reset();
    this.handle({ type: 'configure', context });
    const { established } = this.#machine;
    if (established !== undefined) this.#checkLimit(established);
  }

  /** The peer has dialled us. */
  accept(socket: Socket, local: IpAddress): void {
    const connection = this.#machine.nextConnection();
    this.#connections.adopt(connection, socket);
    this.handle({ type: 'accepted', connection, local });
  }

  /** Takes an event in its turn: one that arises while another is handled waits. */
  handle(event: PeerEvent): void {
    this.#queue.push(event);
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        for (const effect of this.#machine.handle(next, performance.now())) this.#perform(effect);
      }
    } finally {
      this.#draining = false;
    }
    if (this.#config.range !== undefined && this.isAtRest) this.#host.seemsAtRest(this);
  }

  /** Works on what the peer has sent. @returns Whether there is more. */
  readInput(deadlineMs: number): boolean {
    for (const [connection, transport] of this.#connections) {
      this.#readConnection(connection, transport, deadlineMs);
    }
    return this.hasInput;
  }

  /** Packs and sends UPDATEs while the socket takes them. @returns Whether it would take more now. */
  writeUpdates(deadlineMs: number): boolean {
    const transport = this.#establishedTransport();
    if (!transport) return false;
    while (transport.canWrite && this.#host.engine.hasUpdate(this.id)) {
      if (!this.#writePacked(transport)) return false;
      if (performance.now() >= deadlineMs) return true;
    }
    return false;
  }

  #writePacked(transport: Transport): boolean {
    const { engine, buffers } = this.#host;
    const most = this.record.session?.maxMessageOctets ?? MAX_MESSAGE_OCTETS;
    const room = buffers.room(most);
    let length = 0;
    while (length + most <= room.length) {
      const written = engine.nextUpdate(this.id, room, length);
      if (written === 0) break;
      countMessage(this.record.sent, room[length + HEADER_OCTETS - 1] ?? 0);
      length += written;
    }
    if (length === 0) return false;
    const buffer = buffers.copy(room.subarray(0, length));
    transport.write(buffer.subarray(0, length), () => buffers.give(buffer));
    this.record.lastWriteMs = performance.now();
    return true;
  }

  #establishedTransport(): Transport | undefined {
    return this.#connections.get(this.#machine.established);
  }

  #readConnection(connection: ConnectionId, transport: Transport, deadlineMs: number): void {
    let sawUpdate = false;
    let sawFrame = false;
    let unlooked = 0;
    while (transport.hasInput && this.#connections.get(connection) === transport) {
      const frame = this.#connections.nextFrame(connection, transport);
      if (!frame) break;
      sawFrame = true;
      countMessage(this.record.received, frame.type);
      if (frame.type === MessageType.Update && this.#machine.established === connection) {
        sawUpdate = true;
        this.#takeUpdate(connection, frame);
      } else {
        const { type: messageType, body } = frame;
        if (messageType === MessageType.Open) this.#connections.openReceived(connection, body);
        this.handle({ type: 'message', connection, messageType, body });
      }
      unlooked += HEADER_OCTETS + frame.body.length;
      if (unlooked < CLOCK_OCTETS) continue;
      if (performance.now() >= deadlineMs) break;
      unlooked = 0;
    }
    if (sawFrame) this.record.lastReadMs = performance.now();
    // Once for all of them: the machine need not see each UPDATE to know that the peer is alive.
    if (sawUpdate && this.#machine.established === connection) {
      const messageType = MessageType.Update;
      this.handle({ type: 'message', connection, messageType, body: EMPTY });
    }
  }

  #takeUpdate(connection: ConnectionId, { body }: Frame): void {
    this.#host.updateComes(this, body);
    const fault = this.#host.engine.receiveUpdate(this.id, body);
    if (fault) {
      this.handle({ type: 'fault', connection, fault });
      return;
    }
    this.#host.updateTaken(this, body.length);
    if (body.length <= MAX_END_OF_RIB_OCTETS) this.#checkEndOfRib();
    this.#checkLimit(connection);
  }

  /** Each family once: the machine has no more to keep for it. */
  #checkEndOfRib(): void {
    for (const family of this.#host.engine.endOfRibReceived(this.id)) {
      if (this.#synchronised.has(family)) continue;
      this.#synchronised.add(family);
      this.handle({ type: 'endOfRib', family });
    }
  }

  #checkLimit(connection: ConnectionId): void {
    const { maxPrefixes: limit, families } = this.#config;
    if (!limit) return;
    for (const family of families) {
      const count = this.#host.engine.received(this.id, family);
      const found = this.#limitWatch.check(limit, family, count);
      if (!found) continue;
      this.record.tell({ type: 'limit', verdict: found.verdict, family, count, most: found.most });
      if (found.end) {
        this.handle({ type: 'fault', connection, ...found.end });
        return;
      }
      const { verdict, most } = found;
      this.#log.warn({ family, count, most }, `prefixes ${verdict} the limit`);
    }
  }

  #perform(effect: PeerEffect): void {
    switch (effect.type) {
      case 'dial':
        this.#connections.dial(effect.connection, this.#config);
        return;
      case 'send':
        this.#connections.get(effect.connection)?.write(effect.bytes);
        if (effect.message === 'open') this.#connections.openSent(effect.connection, effect.bytes);
        this.record.sent[effect.message] += 1;
        this.record.lastWriteMs = performance.now();
        this.#checkStall(effect.connection);
        return;
      case 'close':
        this.#close(effect.connection, effect.fault);
        return;
      case 'arm':
        this.#timers.arm(timerKey(effect), effect.seconds);
        return;
      case 'restart':
        this.#timers.restart(timerKey(effect));
        return;
      case 'disarm':
        this.#timers.disarm(timerKey(effect));
        return;
      case 'forget':
        this.#timers.disarmWhere((key) => parseTimerKey(key).connection === effect.connection);
        return;
      default:
        this.#tell(effect);
    }
  }

  /** Effects that the engine, the speaker or the operator is told of. */
  #tell(
    effect: Extract<
      PeerEffect,
      {
        type:
          | 'up'
          | 'down'
          | 'flush'
          | 'longLived'
          | 'refresh'
          | 'beginRefresh'
          | 'state'
          | 'received';
      }
    >,
  ): void {
    const { engine } = this.#host;
    switch (effect.type) {
      case 'up':
        this.record.opens = this.#connections.opensOf(effect.connection);
        this.#sessionUp(effect.session);
        break;
      case 'down':
        this.#sessionDown(effect.retain, effect.reason);
        break;
      case 'flush':
        this.#log.info(
          { families: effect.families, reason: effect.reason },
          'flushing stale routes',
        );
        this.record.tell({ type: 'flushed', families: effect.families, reason: effect.reason });
        engine.flushStale(this.id, effect.families);
        break;
      case 'longLived':
        this.#log.warn(
          { families: effect.families, reason: effect.reason },
          'stale routes are long-lived now',
        );
        engine.beginLongLived(this.id, effect.families);
        break;
      case 'beginRefresh':
        this.#tellRefresh('begin', effect.family);
        engine.beginRefresh(this.id, effect.family);
        break;
      case 'refresh':
        this.#tellRefresh('request', effect.family);
        engine.refresh(this.id, effect.family);
        break;
      case 'received': {
        const { code, subcode } = effect.notification;
        this.record.lastError = `received ${notificationName(effect.notification)}`;
        const communication = communicationOf(effect.notification);
        this.record.notified('received', effect.notification, communication);
        this.#log.warn({ code, subcode }, this.record.lastError);
        break;
      }
      case 'state':
        this.record.changedState(effect.to);
        this.#log.debug({ from: effect.from, to: effect.to }, 'session changed state');
    }
    this.#host.wake();
  }

  #tellRefresh(kind: 'request' | 'begin', family: Family): void {
    this.record.tell({ type: 'refresh', direction: 'received', kind, family });
  }

  #sessionUp(session: UpSession): void {
    this.#synchronised.clear();
    this.#limitWatch.reset();
    this.record.wentUp(session, performance.now());
    const { families, holdSeconds } = session;
    this.#log.info({ families, holdSeconds }, 'session is up');
    this.#limitSilence(holdSeconds);
    if (session.maxMessageOctets > MAX_MESSAGE_OCTETS) this.#establishedTransport()?.takeExtended();
    this.#host.engine.peerUp(session);
    this.#host.sessionUp(this, session);
  }

  /** A path that is lost in our direction alone would else be known to be after a quarter of an hour. */
  #limitSilence(holdSeconds: number): void {
    if (holdSeconds === 0) return;
    try {
      this.#establishedTransport()?.limitSilence(Math.max(LEAST_SILENCE_MS, 2000 * holdSeconds));
    } catch (error) {
      this.#log.debug({ err: error }, 'no TCP user timeout');
    }
  }

  #sessionDown(retain: readonly Family[], reason: string): void {
    this.record.wentDown(reason, retain, performance.now());
    this.#log.warn({ reason, retain }, 'session is down');
    this.#host.engine.peerDown(this.id, retain);
    this.#host.sessionDown(this);
  }

  /** A peer that lives but takes nothing would keep stale routes of ours for ever. RFC 9687. */
  #checkStall(connection: ConnectionId): void {
    const stalledMs = this.#connections.get(connection)?.stalledMs ?? 0;
    const holdMs = (this.record.session?.holdSeconds ?? 0) * 1000;
    if (stalledMs <= Math.max(LEAST_SEND_HOLD_MS, 2 * holdMs)) return;
    const expired = { code: ErrorCode.SendHoldTimerExpired, subcode: 0 };
    const fault = new BgpError(expired, 'the peer has taken nothing of ours for too long');
    this.handle({ type: 'fault', connection, fault });
  }

  #close(connection: ConnectionId, fault: NotificationFault | undefined): void {
    if (fault) {
      this.record.sent.notification += 1;
      this.record.lastError = `sent ${notificationName(fault)}: ${fault.reason}`;
      this.record.notified('sent', fault, undefined);
    }
    this.#connections.close(connection, fault && encodeNotification(fault));
  }

  /** A peer is not dead while its octets wait in our receive queue. */
  #mayFire({ timer, connection }: TimerKey): boolean {
    return !(timer === 'hold' && this.#connections.get(connection)?.hasInput);
  }
}

function timerKey({ timer, connection }: TimerKey): string {
  return connection === undefined ? timer : `${timer} ${connection}`;
}

function parseTimerKey(key: string): TimerKey {
  const [timer, connection] = key.split(' ') as [TimerName, string | undefined];
  return connection === undefined ? { timer } : { timer, connection: Number(connection) };
}
