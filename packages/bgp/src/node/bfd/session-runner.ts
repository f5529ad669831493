import { KernelError, type UdpSocketOptions } from '@overland/linux';
import {
  type BfdEffect,
  BfdSession,
  type BfdSettings,
  type Moment,
} from '../../core/bfd/bfd-session.ts';
import {
  type ControlPacket,
  diagnosticText,
  encodeControlPacket,
} from '../../core/bfd/control-packet.ts';
import { type BfdPeer, type BfdPeerKey, type BfdStatus, bfdPeerKey } from './bfd-peer.ts';
import { Sender } from './sender.ts';

/** What a session asks of its surroundings. */
export interface SessionHost {
  readonly openSocket: (options: UdpSocketOptions) => number;
  /** Calls back when everything that has arrived by now was received. */
  readonly whenRead: (next: () => void) => void;
  readonly changed: (runner: SessionRunner) => void;
}

const now = (): Moment => ({
  nowUs: Math.floor(performance.now() * 1000),
  random: Math.random(),
});

/** A session with its socket and timer. */
export class SessionRunner {
  readonly key: BfdPeerKey;
  readonly discriminator: number;
  readonly #session: BfdSession;
  readonly #sender: Sender;
  readonly #host: SessionHost;
  #peer: BfdPeer;
  #timer: NodeJS.Timeout | undefined;
  #wakesAtUs = Infinity;
  #closed = false;
  #isRetiring = false;
  #sinceMs = performance.now();
  #packetsReceived = 0;
  #packetsSent = 0;
  #sendErrors = 0;
  #sendError: string | null = null;
  #timesUp = 0;
  #timesDown = 0;

  constructor(peer: BfdPeer, discriminator: number, host: SessionHost) {
    this.key = bfdPeerKey(peer);
    this.discriminator = discriminator;
    this.#peer = peer;
    this.#host = host;
    this.#sender = new Sender(peer, host.openSocket);
    this.#session = new BfdSession(discriminator, peer.settings, now());
    this.#sleep();
  }

  get peer(): BfdPeer {
    return this.#peer;
  }

  receive(packet: ControlPacket): void {
    this.#packetsReceived += 1;
    const { verdict } = this.#session;
    const effects = this.#session.receive(packet, now());
    this.#apply(effects);
    // The peer can switch BFD off while the session is down already: no change of state, but of the verdict.
    if (this.#session.verdict !== verdict && !effects.some(({ type }) => type === 'changed')) {
      this.#report();
    }
  }

  /** Other settings, the same session. */
  configure(settings: BfdSettings): void {
    this.#peer = { ...this.#peer, settings };
    this.#apply(this.#session.configure(settings, now()));
  }

  /** Tells the peer that this is on purpose, as long as it may take until it has heard it; then ends. */
  async retire(): Promise<void> {
    this.#isRetiring = true;
    this.#apply(this.#session.disable(now()));
    const milliseconds = Math.ceil(this.#session.farewellUs / 1000);
    if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
    this.close();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#sender.close();
  }

  get status(): BfdStatus {
    const { remote, settings, state, diagnostic, transmitUs, detectionUs } = this.#session;
    const { peer, device = null, localAddress = null, multihop, minTtl = null } = this.#peer;
    return {
      key: this.key,
      verdict: this.#session.verdict,
      controlPlaneIndependent: remote.controlPlaneIndependent,
      ...{ peer, device, localAddress, multihop, minTtl, passive: settings.passive, state },
      stateSeconds: (performance.now() - this.#sinceMs) / 1000,
      diagnostic: diagnosticText(diagnostic),
      local: {
        discriminator: this.discriminator,
        detectMultiplier: settings.detectMultiplier,
        receiveMs: settings.receiveIntervalUs / 1000,
        transmitMs: settings.transmitIntervalUs / 1000,
      },
      remote: {
        discriminator: remote.discriminator,
        state: remote.state,
        diagnostic: diagnosticText(remote.diagnostic),
        detectMultiplier: remote.detectMultiplier,
        receiveMs: remote.minRxUs / 1000,
        transmitMs: remote.minTxUs / 1000,
      },
      transmitMs: transmitUs === undefined ? null : transmitUs / 1000,
      detectionMs: detectionUs / 1000,
      packetsReceived: this.#packetsReceived,
      packetsSent: this.#packetsSent,
      sendErrors: this.#sendErrors,
      timesUp: this.#timesUp,
      timesDown: this.#timesDown,
      sendError: this.#sendError,
    };
  }

  #apply(effects: readonly BfdEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send') this.#send(effect.packet);
      else {
        this.#sinceMs = performance.now();
        if (effect.to === 'Up') this.#timesUp += 1;
        if (effect.from === 'Up') this.#timesDown += 1;
        this.#report();
      }
    }
    this.#sleep();
  }

  /** Of a session that nobody wants any more nobody hears. */
  #report(): void {
    if (!this.#isRetiring) this.#host.changed(this);
  }

  #send(packet: ControlPacket): void {
    try {
      this.#sender.send(encodeControlPacket(packet));
      this.#packetsSent += 1;
      this.#sendError = null;
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#sendErrors += 1;
      this.#sendError = error.code;
    }
  }

  /** Sleeps until something is due; what is due later than the sleep ends lets it end and sleep on. */
  #sleep(): void {
    const { dueUs } = this.#session;
    if (this.#closed || dueUs >= this.#wakesAtUs) return;
    clearTimeout(this.#timer);
    this.#wakesAtUs = dueUs;
    const milliseconds = Math.ceil((dueUs - now().nowUs) / 1000);
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, milliseconds));
  }

  #wake(): void {
    const moment = now();
    if (this.#session.isOverdue(moment.nowUs)) {
      this.#host.whenRead(() => {
        if (!this.#closed) this.#expire(now());
      });
    } else this.#expire(moment);
  }

  #expire(moment: Moment): void {
    this.#wakesAtUs = Infinity;
    this.#apply(this.#session.expire(moment));
  }
}
