import { type BfdState, type ControlPacket, Diagnostic } from './control-packet.ts';
import { jitteredUs, SLOW_INTERVAL_US, transmitIntervalUs } from './intervals.ts';
import { transition } from './state-table.ts';

/** What an operator sets of a session. Intervals are microseconds. */
export interface BfdSettings {
  readonly transmitIntervalUs: number;
  readonly receiveIntervalUs: number;
  /** 1..255. */
  readonly detectMultiplier: number;
  /** Send nothing before the peer has. RFC 5880 section 6.1. */
  readonly passive: boolean;
}

/**
 * What BFD says of the path, for those who rely on it. It becomes `down` only from `up`, and is `admin-down` once
 * somebody has switched BFD off: that says nothing about the path (RFC 5882 section 3.2), and goes on saying
 * nothing when the peer falls silent afterwards.
 */
export type PathVerdict = 'unproven' | 'up' | 'down' | 'admin-down';

/** What the shell must do, in order. */
export type BfdEffect =
  | { readonly type: 'send'; readonly packet: ControlPacket }
  | { readonly type: 'changed'; readonly from: BfdState; readonly to: BfdState };

/** What the peer said last. RFC 5880 section 6.8.1: the variables bfd.Remote*. */
export interface RemoteVariables {
  readonly discriminator: number;
  readonly state: BfdState;
  readonly diagnostic: number;
  readonly minRxUs: number;
  readonly minTxUs: number;
  readonly detectMultiplier: number;
  readonly demand: boolean;
  readonly controlPlaneIndependent: boolean;
}

/** Initial values, RFC 5880 section 6.8.1: a Min RX of 1 lets our own interval decide. */
const UNHEARD: RemoteVariables = {
  discriminator: 0,
  state: 'Down',
  diagnostic: Diagnostic.None,
  minRxUs: 1,
  minTxUs: 0,
  detectMultiplier: 0,
  demand: false,
  controlPlaneIndependent: false,
};

interface Intervals {
  readonly txUs: number;
  readonly rxUs: number;
}

/** An instant and a random number in [0, 1): the machine has neither clock nor chance of its own. */
export interface Moment {
  readonly nowUs: number;
  readonly random: number;
}

/**
 * One BFD session in asynchronous mode. RFC 5880 section 6; echo and own demand mode are not offered, a peer's
 * demand mode is respected. Call {@link receive} with what arrives and {@link expire} at {@link dueUs}; before the
 * latter everything that had arrived by then must have been given to the former.
 */
export class BfdSession {
  readonly localDiscriminator: number;
  #settings: BfdSettings;
  #state: BfdState = 'Down';
  #diagnostic: number = Diagnostic.None;
  #verdict: PathVerdict = 'unproven';
  #remote = UNHEARD;
  /** Desired Min TX and Required Min RX in our packets. */
  #advertised: Intervals;
  /** Those in use: the old ones until the peer has confirmed, where RFC 5880 section 6.8.3 asks for it. */
  #inUse: Intervals;
  #isPolling = false;
  #lastSent: { readonly atUs: number; readonly packet: ControlPacket } | undefined;
  #nextSendUs: number;
  #lastHeardUs: number | undefined;

  constructor(localDiscriminator: number, settings: BfdSettings, { nowUs, random }: Moment) {
    this.localDiscriminator = localDiscriminator;
    this.#settings = settings;
    this.#advertised = this.#wanted();
    this.#inUse = this.#advertised;
    this.#nextSendUs = nowUs + Math.floor(random * this.#inUse.txUs);
  }

  get state(): BfdState {
    return this.#state;
  }

  /** Why the session is where it is; see `Diagnostic`. */
  get diagnostic(): number {
    return this.#diagnostic;
  }

  get verdict(): PathVerdict {
    return this.#verdict;
  }

  get remote(): RemoteVariables {
    return this.#remote;
  }

  get settings(): BfdSettings {
    return this.#settings;
  }

  /** Interval of our packets before jitter, microseconds; `undefined`: the peer wants none. */
  get transmitUs(): number | undefined {
    return transmitIntervalUs(this.#inUse.txUs, this.#remote.minRxUs);
  }

  /** Silence after which the peer is gone, microseconds; 0 while nothing was heard. RFC 5880 section 6.8.4. */
  get detectionUs(): number {
    return this.#remote.detectMultiplier * Math.max(this.#inUse.rxUs, this.#remote.minTxUs);
  }

  /** When {@link expire} is to be called; `Infinity`: there is nothing to wait for. */
  get dueUs(): number {
    return Math.min(this.#sendsPeriodically ? this.#nextSendUs : Infinity, this.#detectionDueUs);
  }

  /** Whether the detection time has passed: then the sockets must be read before {@link expire} is called. */
  isOverdue(nowUs: number): boolean {
    return nowUs >= this.#detectionDueUs;
  }

  /** A packet that has passed every check and is for this session. */
  receive(packet: ControlPacket, moment: Moment): readonly BfdEffect[] {
    this.#lastHeardUs = moment.nowUs;
    const before = this.transmitUs;
    this.#remote = remoteVariables(packet);
    if (packet.final && this.#isPolling) this.#pollEnds();
    if (this.#state === 'AdminDown') return [];
    const effects: BfdEffect[] = [];
    const step = transition(this.#state, packet.state);
    if (step) effects.push(this.#enter(...step));
    if (packet.state === 'AdminDown') this.#verdict = 'admin-down';
    if (this.transmitUs !== before) this.#reschedule(moment);
    if (packet.poll) effects.push(this.#send(moment, { final: true }));
    else effects.push(...this.#sendIfChanged(moment));
    return effects;
  }

  /** A timer is due. */
  expire(moment: Moment): readonly BfdEffect[] {
    const effects: BfdEffect[] = [];
    if (this.isOverdue(moment.nowUs)) effects.push(...this.#silence(moment));
    if (this.#sendsPeriodically && moment.nowUs >= this.#nextSendUs) {
      effects.push(this.#send(moment));
    }
    return effects;
  }

  /** Takes over other settings without leaving Up. RFC 5880 section 6.8.3. */
  configure(settings: BfdSettings, moment: Moment): readonly BfdEffect[] {
    const before = this.transmitUs;
    this.#settings = settings;
    if (!this.#isPolling) this.#advertise();
    if (this.transmitUs !== before) this.#reschedule(moment);
    return this.#lastSent ? this.#sendIfChanged(moment) : [];
  }

  /**
   * Switches BFD off on purpose. RFC 5880 section 6.8.16: the peer must hear it, so keep the session running for
   * {@link farewellUs}.
   */
  disable(moment: Moment): readonly BfdEffect[] {
    if (this.#state === 'AdminDown') return [];
    const pace = this.#inUse;
    const changed = this.#enter('AdminDown', Diagnostic.AdministrativelyDown);
    this.#verdict = 'admin-down';
    // The peer counts the old interval until it hears of this: with one packet a second, one lost is an alarm.
    this.#inUse = pace;
    return this.#remote.discriminator === 0 ? [changed] : [changed, this.#send(moment)];
  }

  /** How long the peer may need to hear of {@link disable}: its detection time, microseconds. */
  get farewellUs(): number {
    if (this.#remote.discriminator === 0) return 0;
    return this.#settings.detectMultiplier * (this.transmitUs ?? 0);
  }

  /**
   * The detection time has passed. The peer is told once with its own discriminator, in case it still hears us: FRR
   * takes no packet without it while it is Up. Then nothing is known of the peer any more (RFC 5880 section 6.8.1).
   */
  #silence(moment: Moment): readonly BfdEffect[] {
    const effects: BfdEffect[] = [];
    if (this.#state === 'Init' || this.#state === 'Up') {
      effects.push(this.#enter('Down', Diagnostic.DetectionTimeExpired));
      effects.push(...this.#sendIfChanged(moment));
    }
    this.#lastHeardUs = undefined;
    this.#isPolling = false;
    // The C bit is asked for just when the peer is gone (RFC 5882 section 4.3.2).
    const { controlPlaneIndependent } = this.#remote;
    this.#remote = { ...UNHEARD, controlPlaneIndependent };
    return effects;
  }

  #enter(to: BfdState, diagnostic: number): BfdEffect {
    const from = this.#state;
    this.#state = to;
    this.#diagnostic = diagnostic;
    if (to === 'Up') this.#verdict = 'up';
    else if (from === 'Up') this.#verdict = 'down';
    this.#isPolling = false;
    this.#advertise();
    return { type: 'changed', from, to };
  }

  #wanted(): Intervals {
    const { transmitIntervalUs: txUs, receiveIntervalUs: rxUs } = this.#settings;
    return { txUs: this.#state === 'Up' ? txUs : Math.max(txUs, SLOW_INTERVAL_US), rxUs };
  }

  #advertise(): void {
    const { txUs, rxUs } = this.#wanted();
    if (txUs === this.#advertised.txUs && rxUs === this.#advertised.rxUs) return;
    this.#advertised = { txUs, rxUs };
    this.#isPolling = this.#remote.discriminator !== 0;
    const waits = this.#isPolling && this.#state === 'Up';
    this.#inUse = {
      txUs: waits && txUs > this.#inUse.txUs ? this.#inUse.txUs : txUs,
      rxUs: waits && rxUs < this.#inUse.rxUs ? this.#inUse.rxUs : rxUs,
    };
  }

  /** The peer has confirmed. What changed meanwhile is next. */
  #pollEnds(): void {
    this.#isPolling = false;
    if (this.#state !== 'AdminDown') this.#inUse = this.#advertised;
    this.#advertise();
  }

  /** RFC 5880 section 6.8.7: a passive system waits, a peer may refuse packets, or all but those of a Poll Sequence. */
  get #sendsPeriodically(): boolean {
    const { discriminator, minRxUs, demand, state } = this.#remote;
    if (discriminator === 0 && (this.#settings.passive || this.#state === 'AdminDown'))
      return false;
    if (minRxUs === 0) return false;
    return this.#isPolling || !(demand && this.#state === 'Up' && state === 'Up');
  }

  get #detectionDueUs(): number {
    return this.#lastHeardUs === undefined ? Infinity : this.#lastHeardUs + this.detectionUs;
  }

  /** The first packet is due when it is, whatever the interval. */
  #reschedule({ random }: Moment): void {
    if (this.#lastSent) this.#nextSendUs = this.#lastSent.atUs + this.#jittered(random);
  }

  #jittered(random: number): number {
    const interval = this.transmitUs ?? SLOW_INTERVAL_US;
    return jitteredUs(interval, this.#settings.detectMultiplier, random);
  }

  /** A change is told at once. RFC 5880 section 6.8.7. */
  #sendIfChanged(moment: Moment): readonly BfdEffect[] {
    if (!this.#sendsPeriodically) return [];
    const last = this.#lastSent?.packet;
    return last && sameContents(last, this.#packet()) ? [] : [this.#send(moment)];
  }

  /** P and F are never set together. RFC 5880 section 6.5. */
  #send(moment: Moment, { final = false } = {}): BfdEffect {
    const packet = { ...this.#packet(), poll: this.#isPolling && !final, final };
    this.#lastSent = { atUs: moment.nowUs, packet };
    this.#nextSendUs = moment.nowUs + this.#jittered(moment.random);
    return { type: 'send', packet };
  }

  #packet(): ControlPacket {
    return {
      diagnostic: this.#diagnostic,
      state: this.#state,
      poll: false,
      final: false,
      controlPlaneIndependent: true,
      demand: false,
      detectMultiplier: this.#settings.detectMultiplier,
      myDiscriminator: this.localDiscriminator,
      yourDiscriminator: this.#remote.discriminator,
      desiredMinTxUs: this.#advertised.txUs,
      requiredMinRxUs: this.#advertised.rxUs,
      requiredMinEchoRxUs: 0,
    };
  }
}

function remoteVariables(packet: ControlPacket): RemoteVariables {
  return {
    discriminator: packet.myDiscriminator,
    state: packet.state,
    diagnostic: packet.diagnostic,
    minRxUs: packet.requiredMinRxUs,
    minTxUs: packet.desiredMinTxUs,
    detectMultiplier: packet.detectMultiplier,
    demand: packet.demand,
    controlPlaneIndependent: packet.controlPlaneIndependent,
  };
}

/** Apart from P and F. */
function sameContents(a: ControlPacket, b: ControlPacket): boolean {
  return (
    a.state === b.state &&
    a.diagnostic === b.diagnostic &&
    a.yourDiscriminator === b.yourDiscriminator &&
    a.desiredMinTxUs === b.desiredMinTxUs &&
    a.requiredMinRxUs === b.requiredMinRxUs &&
    a.detectMultiplier === b.detectMultiplier
  );
}
