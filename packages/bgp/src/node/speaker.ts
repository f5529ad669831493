import { openDiscoverySocket, openTcpSocket } from '@overland/linux';
import type { Family, Prefix } from '@overland/net';
import type { Logger } from 'pino';
import type { SpeakerConfig } from '../core/config.ts';
import { createRouteEngine } from '../core/rib/engine.ts';
import type { InterfaceState, RouteEngine } from '../core/rib/route-engine.ts';
import type { BfdChange } from '../core/session/bfd-gate.ts';
import type { UpSession } from '../core/session/peer-events.ts';
import { PeerMachine } from '../core/session/peer-machine.ts';
import type { TraceRecorder } from '../core/trace/trace-recorder.ts';
import type { BfdPath } from './bfd/bfd-path.ts';
import { BmpStations } from './bmp/bmp-stations.ts';
import { BufferPool } from './buffer-pool.ts';
import { ConfigInForce } from './config-in-force.ts';
import { ConvergenceClock } from './convergence.ts';
import type { DrainPhase } from './drain.ts';
import { EventLog } from './event-log.ts';
import { Listeners } from './listeners.ts';
import { LoopDelay } from './loop-delay.ts';
import { MrtUpdates } from './mrt-updates.ts';
import { NeighbourProbe } from './neighbour-probe.ts';
import { SpeakerOperator } from './operator/speaker-operator.ts';
import type { PeerHost, PeerRunner } from './peer-runner.ts';
import { PeerTable } from './peer-table.ts';
import { Reception } from './reception.ts';
import { RestartDeferral } from './restart-deferral.ts';
import { RpkiSource } from './rpki/rpki-source.ts';
import { cease } from './session-endings.ts';
import type { SpeakerOptions, StopKind } from './speaker-options.ts';
import { type SpeakerSummary, summarisePeer } from './speaker-summary.ts';
import { SpeakerTurns } from './speaker-turns.ts';
import { StaticPaths } from './static-paths.ts';
import type { OpenSocket } from './transport.ts';

/** How long a planned stop waits for NOTIFICATIONs to leave, milliseconds. */
const GOODBYE_MS = 200;

/**
 * Starts a speaker. It listens and dials when this returns.
 *
 * @param signal Aborting it stops the speaker as `stop('restart')` does.
 * @throws {ListenError} If it cannot listen where it was told to.
 */
export async function startSpeaker(options: SpeakerOptions, signal: AbortSignal): Promise<Speaker> {
  const speaker = new Speaker(options);
  await speaker.start();
  if (signal.aborted) await speaker.stop('restart');
  else signal.addEventListener('abort', () => void speaker.stop('restart'), { once: true });
  return speaker;
}

/** A running BGP speaker: its parts, how they start and stop together, and what goes from one to another. */
export class Speaker implements AsyncDisposable {
  readonly operator: SpeakerOperator;
  readonly #log: Logger;
  readonly #engine: RouteEngine;
  readonly #peers: PeerTable;
  readonly #inForce: ConfigInForce;
  readonly #turns: SpeakerTurns;
  readonly #listeners: Listeners;
  readonly #reception: Reception;
  readonly #events = new EventLog();
  readonly #convergence = new ConvergenceClock();
  readonly #loopDelay = new LoopDelay();
  readonly #neighbourProbe: NeighbourProbe | undefined;
  readonly #rpki: RpkiSource;
  readonly #bmp: BmpStations;
  readonly #mrtUpdates: MrtUpdates;
  readonly #staticPaths = new StaticPaths();
  #interfaces: readonly InterfaceState[] = [];
  /** What the engine was told of them. */
  #told: readonly InterfaceState[] = [];
  readonly #finished = Promise.withResolvers<void>();
  readonly #isRestart: boolean;
  readonly #preserved: readonly Family[];
  #deferral: RestartDeferral | undefined;
  #stopped = false;

  constructor(options: SpeakerOptions) {
    const { config, log, restarting, random = Math.random, openSocket = openTcpSocket } = options;
    this.#log = log;
    this.#engine = options.engine ?? newEngine(config, options.recorder);
    this.#isRestart = restarting;
    this.#preserved = options.preserved ?? (restarting ? ['ipv4', 'ipv6'] : []);
    this.#neighbourProbe = options.probe && new NeighbourProbe(this.#engine, options.probe);
    this.#rpki = this.#rpkiSource(openSocket);
    this.#bmp = this.#bmpStations(openSocket);
    this.#mrtUpdates = new MrtUpdates(log);
    const host = this.#peerHost({
      random,
      openSocket,
      machine: (peer) => options.recorder?.machine(peer) ?? new PeerMachine(peer),
    });
    this.#peers = new PeerTable(host, (id) => this.#deferral?.peerRemoved(id));
    this.#turns = new SpeakerTurns({
      engine: this.#engine,
      peers: this.#peers,
      onRouteBatch: options.onRouteBatch,
      tellStations: (deadlineMs) => this.#bmp.work(deadlineMs),
      rests: () => this.#rests(),
      failed: (error) => this.#fail(error),
    });
    this.#listeners = new Listeners(openSocket, (socket) => this.#reception.accept(socket), log);
    this.#inForce = new ConfigInForce(config, {
      log,
      random,
      openDiscovery: options.openDiscovery ?? openDiscoverySocket,
      peers: this.#peers,
      listeners: this.#listeners,
      restart: () => ({ restarting: this.isDeferring, preserved: this.#preserved }),
      apply: (changed) => this.#apply(changed),
      onPeersInForce: options.onPeersInForce ?? (() => undefined),
      wake: host.wake,
    });
    this.#reception = new Reception({
      peers: () => this.#peers,
      welcome: (address) => this.#inForce.welcome(address),
      welcomeOn: (device, address) => this.#inForce.welcomeOn(device, address),
      keyOf: host.keyOf,
      log,
    });
    this.operator = this.#newOperator();
  }

  /** Settles when the speaker has stopped; rejects if it had to, with the reason. */
  get done(): Promise<void> {
    return this.#finished.promise;
  }

  /** What is in force: while drained, without peers. */
  get config(): SpeakerConfig {
    return this.#inForce.config;
  }

  /** Listens and dials. Once. */
  async start(): Promise<void> {
    this.#mrtUpdates.configure(this.config.mrtUpdates);
    const peers = await this.#inForce.open();
    if (this.#isRestart) this.#deferral = this.#newDeferral(peers);
    else this.#engine.endDeferral();
    for (const peer of peers) peer.start();
    this.#inForce.locate();
    this.#deferral?.check();
    this.#rpki.configure(this.config.rpki);
    this.#bmp.configure(this.config.bmp);
    this.#turns.wake();
  }

  /**
   * Takes over a new configuration: only sessions whose identity changed restart.
   *
   * @throws {ListenError} If a new address cannot be listened on; everything else is in force.
   */
  reconfigure(config: SpeakerConfig): Promise<void> {
    return this.#inForce.reconfigure(config);
  }

  /**
   * Takes the speaker out of service, or back into it; it stays so through reconfigurations. With `draining`, peers move
   * traffic to where it can go instead; with `drained`, sessions end with Cease/2, and peers drop our routes.
   */
  drain(phase: DrainPhase): void {
    const from = this.#inForce.drain.phase;
    if (from === phase) return;
    this.#log.info({ from, to: phase }, 'drain');
    this.#events.add(undefined, { type: 'drain', phase });
    this.#inForce.enter(phase);
  }

  /** Current interfaces and addresses. A session over a link that is down ends now (fast external fallover). */
  setInterfaces(interfaces: readonly InterfaceState[]): void {
    this.#peers.setInterfaces(interfaces);
    this.#convergence.changed(performance.now());
    this.#interfaces = interfaces;
    this.#tellLinks();
    this.#neighbourProbe?.interfacesChanged(interfaces);
    this.#inForce.setInterfaces(interfaces);
    this.#peers.applyLinks();
    this.#turns.wake();
  }

  /**
   * BFD on this path has come up, gone down or been switched off: the sessions there that have `bfd` follow at
   * once (RFC 5882). A change for a path that has no peer is kept until it has; `undefined`: BFD says no more.
   */
  bfdChanged(path: BfdPath, change: BfdChange | undefined): void {
    if (this.#staticPaths.changed(path, change, this.config.static)) this.#tellLinks();
    this.#peers.bfdChanged(path, change);
    this.#turns.wake();
  }

  /** The kernel has routes that it refused before. */
  routesArrived(prefixes: readonly Prefix[]): void {
    this.#engine.routesArrived(prefixes);
    this.#turns.wake();
  }

  /** Whether route selection still waits for the peers after a restart. */
  get isDeferring(): boolean {
    return this.#isRestart && !this.#deferral?.isOver;
  }

  summary(): SpeakerSummary {
    const { config, listenRanges, drain } = this.#inForce;
    const { routerId, asn, role } = config;
    const peers = Array.from(this.#peers, (peer) =>
      summarisePeer(peer, config, this.#engine.counters(peer.id)),
    );
    return {
      routerId,
      asn,
      role,
      deferring: this.isDeferring,
      drain,
      connectionsRefused: this.#reception.refused,
      longestTurnMs: this.#turns.longestTurnMs,
      peers,
      listenRanges,
    };
  }

  /**
   * Parts from the peers and stops.
   *
   * @param communication For the peers' operators, with `shutdown` (RFC 9003).
   */
  async stop(kind: StopKind, communication?: string): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#listeners.close();
    this.#deferral?.stop();
    this.#neighbourProbe?.[Symbol.dispose]();
    this.#inForce.stop(kind === 'shutdown');
    this.#rpki[Symbol.dispose]();
    this.#events[Symbol.dispose]();
    this.#loopDelay[Symbol.dispose]();
    this.operator[Symbol.dispose]();
    const fault =
      kind === 'shutdown' ? cease('AdministrativeShutdown', 'stopped', communication) : undefined;
    for (const peer of this.#peers) peer.stop(fault);
    this.#bmp[Symbol.dispose]();
    this.#mrtUpdates[Symbol.dispose]();
    this.#turns.stop();
    if (fault) await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
    this.#finished.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('restart');
  }

  #peerHost(means: Pick<PeerHost, 'random' | 'openSocket' | 'machine'>): PeerHost {
    return {
      ...means,
      engine: this.#engine,
      log: this.#log,
      events: this.#events,
      buffers: new BufferPool(),
      keyOf: (peer) => this.#inForce.keyOf(peer),
      wake: () => this.#turns.wake(),
      sessionUp: (peer, session) => this.#sessionUp(peer, session),
      sessionDown: (peer) => this.#sessionDown(peer),
      seemsAtRest: (peer) => this.#inForce.seemsAtRest(peer),
      updateComes: (peer, body) => {
        if (this.#mrtUpdates.isOn) this.#mrtUpdates.received(peer.id, body);
      },
      updateTaken: (peer, octets) => this.#updateTaken(peer, octets),
    };
  }

  #newOperator(): SpeakerOperator {
    const currentConfig = (): SpeakerConfig => this.config;
    return new SpeakerOperator({
      engine: this.#engine,
      get config() {
        return currentConfig();
      },
      peers: () => this.#peers,
      summary: () => this.summary(),
      drain: (phase) => this.drain(phase),
      events: this.#events,
      rpki: this.#rpki,
      times: () => ({ convergence: this.#convergence.view, loopDelay: this.#loopDelay.view }),
      stations: () => this.#bmp.view(),
      wake: () => this.#turns.wake(),
    });
  }

  #bmpStations(openSocket: OpenSocket): BmpStations {
    return new BmpStations({
      engine: this.#engine,
      log: this.#log,
      openSocket,
      config: () => this.config,
      peers: () => this.#peers,
      wake: () => this.#turns.wake(),
    });
  }

  #rpkiSource(openSocket: OpenSocket): RpkiSource {
    return new RpkiSource({
      log: this.#log,
      openSocket,
      changed: (tables, changed) => {
        this.#engine.vrpsChanged(tables, changed);
        this.#turns.wake();
      },
    });
  }

  #sessionUp(peer: PeerRunner, session: UpSession): void {
    this.#convergence.changed(performance.now());
    this.#deferral?.peerUp(peer.id, session);
    this.#bmp.sessionUp(peer, session);
    this.#mrtUpdates.sessionUp(peer, session);
  }

  #sessionDown(peer: PeerRunner): void {
    this.#convergence.changed(performance.now());
    this.#deferral?.peerDown(peer.id);
    this.#bmp.sessionDown(peer);
    this.#mrtUpdates.sessionDown(peer);
  }

  #updateTaken(peer: PeerRunner, octets: number): void {
    this.#turns.updateTaken(octets);
    // Once for all of them: the clock is dear beside a short UPDATE.
    if (this.#convergence.isAtRest) this.#convergence.changed(performance.now());
    if (this.isDeferring) this.#deferral?.received(peer.id, this.#engine);
  }

  /** Gives all but the peers a changed configuration. */
  #apply(config: SpeakerConfig): void {
    this.#convergence.changed(performance.now());
    this.#engine.configure(config);
    this.#tellLinks();
    this.#rpki.configure(config.rpki);
    this.#bmp.configure(config.bmp);
    this.#mrtUpdates.configure(config.mrtUpdates);
  }

  /** The engine is to know which next hops can be used. */
  #tellLinks(): void {
    const seen = this.#staticPaths.applyTo(this.#interfaces, this.config.static);
    if (seen === this.#told) return;
    this.#told = seen;
    this.#engine.setInterfaces(seen);
  }

  #rests(): void {
    if (!this.isDeferring) this.#convergence.rests(performance.now());
  }

  #newDeferral(peers: readonly PeerRunner[]): RestartDeferral {
    const { listenRanges = [], gracefulRestart } = this.config;
    return new RestartDeferral({
      peers: peers.map(({ id }) => id),
      hasRanges: listenRanges.length > 0,
      limitSeconds: gracefulRestart.deferralSeconds,
      log: this.#log,
      over: () => this.#deferralOver(),
    });
  }

  #deferralOver(): void {
    this.#events.add(undefined, { type: 'selecting' });
    this.#log.info('selecting routes: the peers that came up have sent theirs');
    const restart = { restarting: false, preserved: this.#preserved };
    for (const peer of this.#peers) peer.handle({ type: 'restart', restart });
    this.#engine.endDeferral();
    this.#turns.wake();
  }

  #fail(error: unknown): void {
    this.#finished.reject(error);
    void this.stop('restart');
  }
}

function newEngine(config: SpeakerConfig, recorder: TraceRecorder | undefined): RouteEngine {
  return recorder?.engine(config) ?? createRouteEngine(config);
}
