import { randomInt } from 'node:crypto';
import { openUdpSocket, type UdpSocketOptions } from '@overland/linux';
import type { Logger } from 'pino';
import { type DiscardReason, decodeControlPacket } from '../../core/bfd/control-packet.ts';
import {
  type BfdPeer,
  type BfdPeerKey,
  type BfdReport,
  type BfdSummary,
  bfdPeerKey,
} from './bfd-peer.ts';
import { type Origin, ReceiveSockets } from './receive-sockets.ts';
import { type SessionHost, SessionRunner } from './session-runner.ts';

export interface BfdEngineOptions {
  readonly log: Logger;
  /** How the kernel schedules this thread; for the summary. */
  readonly scheduling: BfdSummary['scheduling'];
  /** A session's verdict may be another one. */
  readonly onReport: (report: BfdReport) => void;
  /** Default: in this thread's network namespace. */
  readonly openSocket?: (options: UdpSocketOptions) => number;
}

/** All BFD sessions of a host. */
export class BfdEngine implements AsyncDisposable {
  readonly #log: Logger;
  readonly #host: SessionHost;
  readonly #sockets: ReceiveSockets;
  readonly #sessions = new Map<BfdPeerKey, SessionRunner>();
  readonly #byDiscriminator = new Map<number, SessionRunner>();
  readonly #retiring = new Set<Promise<void>>();
  readonly #discarded = new Map<DiscardReason, number>();
  readonly #scheduling: BfdSummary['scheduling'];
  #waiting: (() => void)[] = [];

  constructor({ log, scheduling, onReport, openSocket = openUdpSocket }: BfdEngineOptions) {
    this.#log = log;
    this.#scheduling = scheduling;
    this.#sockets = new ReceiveSockets(openSocket, (bytes, origin) => this.#take(bytes, origin));
    this.#host = {
      openSocket,
      whenRead: (next) => this.#whenRead(next),
      changed: (runner) => {
        const { key, verdict, controlPlaneIndependent, state, diagnostic } = runner.status;
        this.#log.info({ peer: key, state, verdict, diagnostic }, 'BFD session changed');
        onReport({ key, verdict, controlPlaneIndependent });
      },
    };
  }

  /**
   * Makes these the sessions: a difference. Settings change without a session leaving Up; what is no longer wanted
   * ends with AdminDown.
   *
   * @throws {KernelError} If a port cannot be had; then no session is made.
   */
  configure(peers: readonly BfdPeer[]): void {
    this.#sockets.set([...peers, ...this.#leaving(peers)]);
    const wanted = new Map(peers.map((peer) => [bfdPeerKey(peer), peer]));
    for (const [key, runner] of this.#sessions) {
      const peer = wanted.get(key);
      if (!peer || !sameEndpoint(peer, runner.peer)) this.#retire(runner);
    }
    for (const [key, peer] of wanted) {
      const runner = this.#sessions.get(key);
      if (runner) runner.configure(peer.settings);
      else this.#start(peer);
    }
  }

  /** Of every session. */
  reports(): BfdReport[] {
    return this.summary().sessions.map(({ key, verdict, controlPlaneIndependent }) => ({
      key,
      verdict,
      controlPlaneIndependent,
    }));
  }

  summary(): BfdSummary {
    return {
      scheduling: this.#scheduling,
      sessions: Array.from(this.#sessions.values(), ({ status }) => status),
      discarded: Object.fromEntries(this.#discarded),
    };
  }

  /** Ends every session with AdminDown, and waits until the peers may have heard it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const runner of this.#sessions.values()) this.#retire(runner);
    await Promise.all(this.#retiring);
    this.#sockets.close();
  }

  /** Sessions that end now still receive. */
  #leaving(peers: readonly BfdPeer[]): BfdPeer[] {
    const wanted = new Set(peers.map(bfdPeerKey));
    return Array.from(this.#byDiscriminator.values(), ({ peer }) => peer).filter(
      (peer) => !wanted.has(bfdPeerKey(peer)),
    );
  }

  #start(peer: BfdPeer): void {
    let discriminator: number;
    do discriminator = randomInt(1, 2 ** 32);
    while (this.#byDiscriminator.has(discriminator));
    const runner = new SessionRunner(peer, discriminator, this.#host);
    this.#sessions.set(runner.key, runner);
    this.#byDiscriminator.set(discriminator, runner);
  }

  #retire(runner: SessionRunner): void {
    this.#sessions.delete(runner.key);
    const retired = runner.retire().then(() => {
      this.#byDiscriminator.delete(runner.discriminator);
      this.#retiring.delete(retired);
    });
    this.#retiring.add(retired);
  }

  /** RFC 5880 section 6.8.6, the checks that need the sessions. */
  #take(bytes: Uint8Array, origin: Origin): void {
    const packet = decodeControlPacket(bytes);
    if (typeof packet === 'string') {
      this.#discard(packet);
      return;
    }
    const isKnown = packet.yourDiscriminator !== 0;
    const runner = isKnown
      ? this.#byDiscriminator.get(packet.yourDiscriminator)
      : this.#sessionWith(origin);
    if (!runner) this.#discard(isKnown ? 'unknown discriminator' : 'no session with this peer');
    else if (!isFrom(runner.peer, origin)) this.#discard('discriminator of another peer');
    else runner.receive(packet);
  }

  #sessionWith(origin: Origin): SessionRunner | undefined {
    const { address: peer, device, multihop } = origin;
    const exact = this.#sessions.get(
      bfdPeerKey({ peer, multihop, ...(device === undefined ? {} : { device }) }),
    );
    return exact ?? [...this.#sessions.values()].find((runner) => isFrom(runner.peer, origin));
  }

  #discard(reason: DiscardReason): void {
    this.#discarded.set(reason, (this.#discarded.get(reason) ?? 0) + 1);
  }

  /**
   * A timer's turn is over before sockets are read, and a turn reads only so much: nobody is declared dead whose
   * packets wait here because this process did not run.
   */
  #whenRead(next: () => void): void {
    this.#waiting.push(next);
    if (this.#waiting.length > 1) return;
    // Forgets what earlier turns have read: only the turn that comes now tells whether the sockets are empty.
    this.#sockets.areRead();
    const look = (): void => {
      if (!this.#sockets.areRead()) {
        setImmediate(look);
        return;
      }
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const each of waiting) each();
    };
    setImmediate(look);
  }
}

function isFrom({ peer, device, multihop }: BfdPeer, origin: Origin): boolean {
  if (peer !== origin.address || multihop !== origin.multihop) return false;
  return origin.device === undefined || device === undefined || device === origin.device;
}

function sameEndpoint(a: BfdPeer, b: BfdPeer): boolean {
  return a.localAddress === b.localAddress && a.minTtl === b.minTtl;
}
