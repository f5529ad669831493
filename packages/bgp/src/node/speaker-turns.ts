import type { RouteEngine } from '../core/rib/route-engine.ts';
import type { PeerRunner } from './peer-runner.ts';
import { RoutePump } from './route-pump.ts';
import type { SpeakerOptions } from './speaker-options.ts';
import { UnitTuner } from './unit-tuner.ts';
import { WorkLoop } from './work-loop.ts';

/** What of the speaker its turns work on. */
export interface SpeakerTurnsHost {
  readonly engine: RouteEngine;
  readonly peers: Iterable<PeerRunner>;
  readonly onRouteBatch: SpeakerOptions['onRouteBatch'];
  /** Works on what is for BMP stations. @returns Whether there is more. */
  readonly tellStations: (deadlineMs: number) => boolean;
  /** All that is known has been decided, and the kernel and the peers have it as far as they take it. */
  readonly rests: () => void;
  /** A batch of routes was refused: the speaker cannot go on. */
  readonly failed: (error: unknown) => void;
}

/** UPDATE octets that the engine may be behind before reading stops. */
const DEEP_OCTETS = 1024 * 1024;

/** The work of a speaker in turns: what peers have sent, decisions, what peers are sent, and what kernel and stations are. */
export class SpeakerTurns {
  readonly #host: SpeakerTurnsHost;
  readonly #pump: RoutePump;
  readonly #loop: WorkLoop;
  readonly #tuner = new UnitTuner();
  #undigestedOctets = 0;
  #rotation = 0;

  constructor(host: SpeakerTurnsHost) {
    this.#host = host;
    this.#pump = new RoutePump(host.engine, host.onRouteBatch, {
      settled: () => this.wake(),
      failed: host.failed,
    });
    this.#loop = new WorkLoop(
      [
        (deadlineMs) => this.#readInput(deadlineMs),
        (deadlineMs) => this.#stepEngine(deadlineMs),
        (deadlineMs) => this.#writeUpdates(deadlineMs),
        (deadlineMs) => this.#deliver(deadlineMs),
      ],
      () => {
        if (!this.#pump.isDelivering) host.rests();
      },
    );
  }

  /** CPU time of the longest turn so far, milliseconds. */
  get longestTurnMs(): number {
    return this.#loop.longestTurnMs;
  }

  /** There may be work: input, output, routes. */
  wake(): void {
    this.#loop.wake();
  }

  stop(): void {
    this.#loop.stop();
  }

  /** An UPDATE of so many octets has gone to the engine. */
  updateTaken(octets: number): void {
    this.#undigestedOctets += octets;
  }

  /** While the engine is deep in work, what the peers send waits in their sockets. */
  #readInput(deadlineMs: number): boolean {
    let more = false;
    for (const peer of this.#inTurn()) {
      if (this.#undigestedOctets >= DEEP_OCTETS || performance.now() >= deadlineMs) {
        return more || this.#inTurn().some(({ hasInput }) => hasInput);
      }
      if (peer.hasInput && peer.readInput(deadlineMs)) more = true;
    }
    return more;
  }

  #stepEngine(deadlineMs: number): boolean {
    for (;;) {
      const startMs = performance.now();
      if (startMs >= deadlineMs) return true;
      if (!this.#host.engine.step(this.#tuner.units)) {
        this.#undigestedOctets = 0;
        return false;
      }
      this.#tuner.measured(performance.now() - startMs);
    }
  }

  #writeUpdates(deadlineMs: number): boolean {
    let more = false;
    for (const peer of this.#inTurn()) if (peer.writeUpdates(deadlineMs)) more = true;
    return more;
  }

  /** What is for the kernel, then what is for stations. */
  #deliver(deadlineMs: number): boolean {
    const hasBatch = this.#pump.pump(deadlineMs);
    return this.#host.tellStations(deadlineMs) || hasBatch;
  }

  /** Every peer once, each time from another one on. */
  #inTurn(): readonly PeerRunner[] {
    const peers = [...this.#host.peers];
    this.#rotation += 1;
    const first = this.#rotation % Math.max(1, peers.length);
    return [...peers.slice(first), ...peers.slice(0, first)];
  }
}
