import type { IpAddress } from '@overland/net';
import type { NotificationFault } from '../src/core/rib/route-engine.ts';
import type { PeerEffect, PeerEvent, UpSession } from '../src/core/session/peer-events.ts';
import { PeerMachine, type PeerMachineOptions } from '../src/core/session/peer-machine.ts';
import type { TraceRecorder } from '../src/core/trace/trace-recorder.ts';
import { BgpError } from '../src/core/wire/bgp-error.ts';
import { Deframer } from '../src/core/wire/deframer.ts';
import { MAX_MESSAGE_OCTETS, MessageType } from '../src/core/wire/header.ts';
import type { Speaker } from './two-speakers.ts';

/** A connection that is there, and what has come over it. */
interface Wire {
  readonly connection: number;
  readonly deframer: Deframer;
}

/**
 * A peer as the shell has it, without sockets and timers: octets of one connection go through deframer, machine and engine.
 * Timers fire when a test says so.
 */
export class PureSession {
  readonly machine: PeerMachine;
  readonly id: number;
  readonly #speaker: Speaker;
  nowMs = 0;
  /** The session that is up. */
  session: UpSession | undefined;
  /** How the last connection was closed by us, with the NOTIFICATION if there was one. */
  closed: { readonly fault: NotificationFault | undefined } | undefined;
  /** Told of each UPDATE that the session has survived. */
  readonly updateTaken: (body: Uint8Array) => void;
  readonly armed = new Map<string, number>();
  #wire: Wire | undefined;
  #dialled: number | undefined;

  constructor(
    speaker: Speaker,
    options: Omit<PeerMachineOptions, 'restart' | 'random'>,
    updateTaken: (body: Uint8Array) => void,
    recorder?: TraceRecorder,
  ) {
    this.#speaker = speaker;
    this.updateTaken = updateTaken;
    this.id = options.id;
    const restart = { restarting: false, preserved: [] };
    const whole = { ...options, restart, random: () => 1 };
    this.machine = recorder?.machine(whole) ?? new PeerMachine(whole);
  }

  handle(event: PeerEvent): void {
    for (const effect of this.machine.handle(event, this.nowMs)) this.#perform(effect);
  }

  /** Answers what was dialled; waits until the peer dials again, if it does not at once. */
  connect(local: IpAddress): void {
    if (this.#dialled === undefined) {
      const waitSeconds = this.armed.get('idleHold') ?? this.armed.get('connectRetry');
      if (waitSeconds === undefined) throw new Error(`stuck in ${this.machine.state}`);
      this.nowMs += 1000 * waitSeconds;
      const timer = this.armed.has('idleHold') ? 'idleHold' : 'connectRetry';
      this.handle({ type: 'timer', timer });
    }
    const connection = this.#dialled;
    if (connection === undefined) throw new Error(`nothing is dialled in ${this.machine.state}`);
    this.#dialled = undefined;
    this.closed = undefined;
    this.#wire = { connection, deframer: new Deframer() };
    this.handle({ type: 'connected', connection, local });
  }

  /** Octets of a message that is not whole yet. */
  get pendingOctets(): number {
    return this.#wire?.deframer.pending ?? 0;
  }

  /** The peer closes TCP. */
  lose(): void {
    const wire = this.#wire;
    this.#wire = undefined;
    if (wire) this.handle({ type: 'lost', connection: wire.connection, reason: 'closed' });
  }

  /** Octets arrive. */
  receive(chunk: Uint8Array): void {
    const wire = this.#wire;
    if (!wire) return;
    wire.deframer.push(chunk);
    while (this.#wire === wire && this.#takeFrame(wire));
  }

  /** @returns Whether there was a whole message. */
  #takeFrame({ connection, deframer }: Wire): boolean {
    try {
      const frame = deframer.next();
      if (!frame) return false;
      if (frame.type === MessageType.Update && this.machine.established === connection) {
        const fault = this.#speaker.engine.receiveUpdate(this.id, frame.body);
        if (fault) {
          this.handle({ type: 'fault', connection, fault });
          return true;
        }
        this.updateTaken(frame.body);
      }
      const { type: messageType, body } = frame;
      this.handle({ type: 'message', connection, messageType, body });
      return true;
    } catch (error) {
      if (!(error instanceof BgpError)) throw error;
      this.handle({ type: 'fault', connection, fault: error });
      return false;
    }
  }

  #perform(effect: PeerEffect): void {
    const { engine } = this.#speaker;
    switch (effect.type) {
      case 'dial':
        this.#dialled = effect.connection;
        return;
      case 'close':
        if (this.#wire?.connection === effect.connection) {
          this.#wire = undefined;
          this.closed = { fault: effect.fault };
        }
        return;
      case 'up':
        this.session = effect.session;
        if (this.#wire) {
          this.#wire.deframer.extended = effect.session.maxMessageOctets > MAX_MESSAGE_OCTETS;
        }
        engine.peerUp(effect.session);
        return;
      case 'down':
        this.session = undefined;
        engine.peerDown(this.id, effect.retain);
        return;
      case 'flush':
        engine.flushStale(this.id, effect.families);
        return;
      case 'longLived':
        engine.beginLongLived(this.id, effect.families);
        return;
      case 'refresh':
        engine.refresh(this.id, effect.family);
        return;
      case 'beginRefresh':
        engine.beginRefresh(this.id, effect.family);
        return;
      case 'arm':
        this.armed.set(effect.timer, effect.seconds);
        return;
      case 'disarm':
        this.armed.delete(effect.timer);
        return;
      default:
    }
  }
}
