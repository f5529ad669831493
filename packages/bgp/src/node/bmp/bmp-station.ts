import { hostname } from 'node:os';
import type { Family } from '@overland/net';
import {
  encodeInitiation,
  encodePeerDown,
  encodePeerUp,
  encodeRouteMonitoring,
  encodeStatistics,
  encodeTermination,
  ROUTE_MONITORING_OCTETS,
  TerminationReason,
} from '../../core/bmp/bmp-message.ts';
import type { BmpStationConfig } from '../../core/config.ts';
import { MONITORED_OCTETS, type RibMonitor } from '../../core/rib/monitor/rib-monitor.ts';
import type { PeerId } from '../../core/rib/route-engine.ts';
import type { UpSession } from '../../core/session/peer-events.ts';
import { DialledStream } from '../dialled-stream.ts';
import type { PeerRunner } from '../peer-runner.ts';
import type { BmpHost } from './bmp-host.ts';
import { locRibPeer, locRibUp, peerDownOf, peerOf, peerUpOf, statisticsOf } from './bmp-peers.ts';

/** Octets in user space that the station has not taken, above which nothing more is packed. */
const HIGH_WATER_OCTETS = 64 * 1024;
/** Messages about sessions that wait all the same; a station that is behind by more begins anew. */
const MAX_WAITING_OCTETS = 4 * 1024 * 1024;
/** Messages are packed one behind the other into so much, and leave together. */
const BATCH_OCTETS = 64 * 1024;
/** Prefixes looked at between messages. */
const STEP_UNITS = 256;
/** How often it is seen whether the station takes anything, and after how many times it is given up, seconds. */
const CHECK_SECONDS = 15;
const MAX_IDLE_CHECKS = 4;
const FIRST_RETRY_SECONDS = 1;
const MAX_RETRY_SECONDS = 120;

/** One station as `overland bgp bmp` shows it. */
export interface BmpStationView {
  readonly address: string;
  readonly port: number;
  readonly state: 'up' | 'connecting' | 'waiting';
  readonly ribs: BmpStationConfig['ribs'];
  readonly messagesSent: number;
  readonly octetsSent: number;
  readonly timesUp: number;
  readonly lastError: string | null;
}

/** What is told of a session. */
interface ToldPeer {
  readonly runner: PeerRunner;
  readonly session: UpSession;
}

/**
 * One BMP station: RFC 7854. We dial it, tell it everything, and then what changes. It has no way to talk back. What it
 * is slow to take is told as it is by then: its slowness costs bits per path, and nobody else anything.
 */
export class BmpStation implements Disposable {
  readonly config: BmpStationConfig;
  readonly #host: BmpHost;
  readonly #told = new Map<PeerId, ToldPeer>();
  #monitors: readonly RibMonitor[] = [];
  #stream: DialledStream | undefined;
  #isUp = false;
  #isStopped = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #statistics: NodeJS.Timeout | undefined;
  #check: NodeJS.Timeout | undefined;
  #idleChecks = 0;
  #takenOctets = 0;
  #messages = 0;
  #octets = 0;
  #timesUp = 0;
  #lastError: string | undefined;

  constructor(config: BmpStationConfig, host: BmpHost) {
    this.config = config;
    this.#host = host;
    this.#dial();
  }

  view(): BmpStationView {
    const { address, port, ribs } = this.config;
    const state = this.#isUp ? 'up' : this.#stream ? 'connecting' : 'waiting';
    return {
      address,
      port,
      state,
      ribs,
      messagesSent: this.#messages,
      octetsSent: this.#octets,
      timesUp: this.#timesUp,
      lastError: this.#lastError ?? null,
    };
  }

  /** A session has come up. */
  sessionUp(runner: PeerRunner, session: UpSession): void {
    if (!this.#isUp || !this.#watchesPeers) return;
    const up = peerUpOf(runner, session);
    if (!up) return;
    this.#told.set(runner.id, { runner, session });
    this.#send(encodePeerUp(peerOf(runner, session, 'pre-policy'), up));
    for (const { monitor, family } of this.#monitorsOf(session)) {
      const direction = monitor.rib.startsWith('out-') ? 'send' : 'receive';
      monitor.peerUp(runner.id, session.addPath?.[direction].includes(family) ?? false);
    }
  }

  /** A session is over. */
  sessionDown(runner: PeerRunner): void {
    const told = this.#told.get(runner.id);
    if (!told || !this.#told.delete(runner.id)) return;
    for (const monitor of this.#monitors) monitor.peerDown(runner.id);
    this.#send(encodePeerDown(peerOf(runner, told.session, 'pre-policy'), peerDownOf(runner)));
  }

  /** Packs and sends while the station takes it. @returns Whether there is more that it would take now. */
  work(deadlineMs: number): boolean {
    while (this.#stream && this.#isUp && this.#stream.unsentOctets < HIGH_WATER_OCTETS) {
      const monitor = this.#monitors.find(({ hasWork }) => hasWork);
      if (!monitor) return false;
      this.#pack(monitor);
      if (performance.now() >= deadlineMs) return true;
    }
    return false;
  }

  /** Says goodbye. */
  [Symbol.dispose](): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    if (this.#isUp) {
      this.#send(encodeTermination(TerminationReason.AdministrativelyClosed, 'stopped'));
    }
    this.#end();
  }

  get #watchesPeers(): boolean {
    return this.config.ribs.some((rib) => rib !== 'loc-rib');
  }

  #monitorsOf(session: UpSession): { monitor: RibMonitor; family: Family }[] {
    return this.#monitors.flatMap((monitor, i) => {
      const family = FAMILIES[i % FAMILIES.length] as Family;
      return session.families.includes(family) ? [{ monitor, family }] : [];
    });
  }

  #dial(): void {
    const { log, openSocket } = this.#host;
    this.#stream = DialledStream.dial(
      this.config,
      {
        connected: () => this.#begin(),
        // A station has nothing to say.
        received: () => undefined,
        drained: () => this.#host.wake(),
        lost: (reason) => {
          log.warn({ station: this.config.address, reason }, 'BMP station lost');
          this.#lost(reason);
        },
      },
      openSocket,
    );
  }

  #begin(): void {
    const { engine, log } = this.#host;
    this.#isUp = true;
    this.#timesUp += 1;
    this.#failures = 0;
    this.#lastError = undefined;
    this.#send(encodeInitiation(hostname(), 'Overland BGP speaker'));
    this.#monitors = this.config.ribs.flatMap((rib) =>
      FAMILIES.map((family) => engine.monitor(rib, family)),
    );
    if (this.config.ribs.includes('loc-rib')) {
      const speaker = this.#host.config();
      this.#send(encodePeerUp(locRibPeer(speaker), locRibUp(speaker)));
    }
    for (const runner of this.#host.peers()) {
      if (runner.record.session) this.sessionUp(runner, runner.record.session);
    }
    const { statisticsSeconds } = this.config;
    if (statisticsSeconds > 0) {
      this.#statistics = setInterval(() => this.#sendStatistics(), statisticsSeconds * 1000);
    }
    this.#idleChecks = 0;
    this.#check = setInterval(() => this.#checkProgress(), CHECK_SECONDS * 1000);
    log.info({ station: this.config.address, ribs: this.config.ribs }, 'BMP station is told');
    this.#host.wake();
  }

  #pack(monitor: RibMonitor): void {
    monitor.step(STEP_UNITS);
    const batch = Buffer.allocUnsafe(BATCH_OCTETS);
    let length = 0;
    while (length + ROUTE_MONITORING_OCTETS + MONITORED_OCTETS <= batch.length) {
      const octets = monitor.next(batch, length + ROUTE_MONITORING_OCTETS);
      if (octets === 0) break;
      const header = this.#headerOf(monitor, octets);
      // A session that is not told has nothing to tell: monitors know no other.
      if (!header) continue;
      batch.set(header, length);
      length += ROUTE_MONITORING_OCTETS + octets;
      this.#messages += 1;
    }
    if (length > 0) this.#write(batch.subarray(0, length));
  }

  #headerOf({ rib, peer }: RibMonitor, octets: number): Uint8Array | undefined {
    if (peer === undefined) {
      return encodeRouteMonitoring(locRibPeer(this.#host.config()), octets);
    }
    const told = this.#told.get(peer);
    return told && encodeRouteMonitoring(peerOf(told.runner, told.session, rib), octets);
  }

  #sendStatistics(): void {
    const { engine } = this.#host;
    for (const { runner, session } of this.#told.values()) {
      const statistics = statisticsOf(engine.counters(runner.id));
      this.#send(encodeStatistics(peerOf(runner, session, 'pre-policy'), statistics));
    }
  }

  #send(message: Uint8Array): void {
    this.#messages += 1;
    this.#write(message);
    const waiting = this.#stream?.unsentOctets ?? 0;
    if (waiting > MAX_WAITING_OCTETS) this.#fail(`it is ${waiting} octets behind`);
  }

  #write(octets: Uint8Array): void {
    this.#octets += octets.length;
    this.#stream?.write(octets);
  }

  #checkProgress(): void {
    const taken = this.#octets - (this.#stream?.unsentOctets ?? 0);
    const isIdle = taken === this.#takenOctets && taken < this.#octets;
    this.#takenOctets = taken;
    this.#idleChecks = isIdle ? this.#idleChecks + 1 : 0;
    if (this.#idleChecks >= MAX_IDLE_CHECKS) this.#fail('it takes nothing');
  }

  #fail(reason: string): void {
    this.#host.log.warn({ station: this.config.address, reason }, 'BMP station given up');
    this.#lost(reason);
  }

  #lost(reason: string): void {
    this.#lastError = reason;
    this.#end();
    if (this.#isStopped) return;
    const delay = Math.min(MAX_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** this.#failures);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#dial(), delay * 1000);
  }

  #end(): void {
    clearInterval(this.#statistics);
    clearInterval(this.#check);
    this.#isUp = false;
    this.#stream?.close();
    this.#stream = undefined;
    for (const monitor of this.#monitors) monitor.close();
    this.#monitors = [];
    this.#told.clear();
  }
}

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
