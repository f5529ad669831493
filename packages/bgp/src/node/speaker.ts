import { openDiscoverySocket, openTcpSocket } from '@overland/linux';
import type { Family, RouteBatch } from '@overland/net';
import type { Logger } from 'pino';
import type { PeerConfig, SpeakerConfig } from '../core/config.ts';
import { createRouteEngine } from '../core/rib/engine.ts';
import type {
  InterfaceState,
  NotificationFault,
  PeerId,
  RouteEngine,
} from '../core/rib/route-engine.ts';
import type { BfdChange } from '../core/session/bfd-gate.ts';
import { keepDynamicPeers } from '../core/session/listen-ranges.ts';
import type { Restart } from '../core/session/negotiation.ts';
import { peerChanges, peerKey } from '../core/session/peer-changes.ts';
import type { UpSession } from '../core/session/peer-events.ts';
import { type PeerLink, peerLink } from '../core/session/peer-link.ts';
import { PeerMachine } from '../core/session/peer-machine.ts';
import { isUnheard } from '../core/session/unnumbered.ts';
import type { TraceRecorder } from '../core/trace/trace-recorder.ts';
import { BgpError, CeaseSubcode, ErrorCode } from '../core/wire/bgp-error.ts';
import { encodeCommunication } from '../core/wire/notification.ts';
import { type BfdPath, bfdPathText, bfdPathTo } from './bfd/bfd-path.ts';
import { BmpStations } from './bmp/bmp-stations.ts';
import { BufferPool } from './buffer-pool.ts';
import { ConvergenceClock } from './convergence.ts';
import { configInPhase, type DrainPhase } from './drain.ts';
import { DynamicPeers } from './dynamic-peers.ts';
import { EventLog } from './event-log.ts';
import { Listeners } from './listeners.ts';
import { LoopDelay } from './loop-delay.ts';
import { NeighbourProbe, type Probe } from './neighbour-probe.ts';
import { SpeakerOperator } from './operator/speaker-operator.ts';
import { type PeerHost, PeerRunner } from './peer-runner.ts';
import { Reception } from './reception.ts';
import { RestartDeferral } from './restart-deferral.ts';
import { RoutePump } from './route-pump.ts';
import type { OpenDiscovery } from './router-discovery.ts';
import { RpkiSource } from './rpki/rpki-source.ts';
import { keyHolder, SessionKeys } from './session-keys.ts';
import { type SpeakerSummary, summarisePeer } from './speaker-summary.ts';
import type { OpenSocket } from './transport.ts';
import { UnitTuner } from './unit-tuner.ts';
import { UnnumberedPeers } from './unnumbered-peers.ts';
import { type Worker, WorkLoop } from './work-loop.ts';

export interface SpeakerOptions {
  readonly config: SpeakerConfig;
  readonly log: Logger;
  /** Absent: one of its own. */
  readonly engine?: RouteEngine;
  /** The process has restarted, and the kernel may still hold what the last one learned. RFC 4724 section 4.1. */
  readonly restarting: boolean;
  /** Families whose kernel routes survived; absent: both when `restarting`, else none. */
  readonly preserved?: readonly Family[];
  /** Resolves when the kernel has the routes; until then few more batches follow. A rejection ends the speaker. */
  readonly onRouteBatch: (batch: RouteBatch) => Promise<void>;
  /** Absent: next hops that have stopped answering are only known to be back when somebody sends to them. */
  readonly probe?: Probe;
  /** In 0..1, for jitter. */
  readonly random?: () => number;
  /** Writes down what the speaker is told and does; an `engine` that is given must be recorded by it, too. */
  readonly recorder?: TraceRecorder;
  /** Where sockets come from; absent: this thread's network namespace. */
  readonly openSocket?: OpenSocket;
  /** Where router discovery has its sockets from; absent: this thread's network namespace. */
  readonly openDiscovery?: OpenDiscovery;
  /** Peers have come or gone with a listen range or a drain, or an unnumbered one is elsewhere, and not with a reconfiguration. */
  readonly onPeersInForce?: (config: SpeakerConfig) => void;
}

/** How to part from the peers: `restart` silently, so that they keep our routes; `shutdown` with Cease/2. */
export type StopKind = 'restart' | 'shutdown';

/** UPDATE octets that the engine may be behind before reading stops. */
const DEEP_OCTETS = 1024 * 1024;
/** How long a planned stop waits for NOTIFICATIONs to leave, milliseconds. */
const GOODBYE_MS = 200;

const DECONFIGURED = cease('PeerDeconfigured', 'configuration changed');
const CHANGED = cease('OtherConfigurationChange', 'configuration changed');
const DRAINED = cease('AdministrativeShutdown', 'drained', 'drained for maintenance');

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

/** A running BGP speaker. */
export class Speaker implements AsyncDisposable {
  readonly operator: SpeakerOperator;
  readonly #log: Logger;
  readonly #engine: RouteEngine;
  readonly #host: PeerHost;
  readonly #listeners: Listeners;
  readonly #reception: Reception;
  readonly #dynamic: DynamicPeers;
  readonly #unnumbered: UnnumberedPeers;
  readonly #onPeersInForce: (config: SpeakerConfig) => void;
  readonly #keys: SessionKeys;
  /** By `peerKey`. */
  readonly #peers = new Map<string, PeerRunner>();
  readonly #links = new Map<PeerId, PeerLink>();
  /** What BFD last said of each path: sessions that begin anew need it too. */
  readonly #bfd = new Map<string, BfdChange>();
  readonly #events = new EventLog();
  readonly #convergence = new ConvergenceClock();
  readonly #loopDelay = new LoopDelay();
  readonly #loop: WorkLoop;
  readonly #tuner = new UnitTuner();
  readonly #neighbourProbe: NeighbourProbe | undefined;
  readonly #rpki: RpkiSource;
  readonly #bmp: BmpStations;
  readonly #finished = Promise.withResolvers<void>();
  readonly #isRestart: boolean;
  readonly #preserved: readonly Family[];
  /** As told. */
  #wanted: SpeakerConfig;
  #phase: DrainPhase = 'active';
  /**
   * What the phase makes of what was told, with the peers that came from listen ranges, and with
   * unnumbered ones where they are.
   */
  #config: SpeakerConfig;
  #deferral: RestartDeferral | undefined;
  #interfaces: readonly InterfaceState[] = [];
  #undigestedOctets = 0;
  #turns = 0;
  #stopped = false;

  constructor(options: SpeakerOptions) {
    const { config, log, restarting, onRouteBatch, random = Math.random } = options;
    const { openSocket = openTcpSocket, recorder } = options;
    const engine = options.engine ?? newEngine(config, recorder);
    this.#wanted = config;
    this.#config = config;
    this.#log = log;
    this.#engine = engine;
    this.#isRestart = restarting;
    this.#neighbourProbe = options.probe && new NeighbourProbe(engine, options.probe);
    this.#preserved = options.preserved ?? (restarting ? ['ipv4', 'ipv6'] : []);
    this.#loop = this.#newLoop(onRouteBatch);
    this.#rpki = this.#rpkiSource(openSocket);
    this.#bmp = this.#bmpStations(openSocket);
    this.#onPeersInForce = options.onPeersInForce ?? (() => undefined);
    this.#keys = new SessionKeys(log, (holders) => this.#keysChanged(holders));
    const peers = (): Iterable<PeerRunner> => this.#peers.values();
    this.#dynamic = new DynamicPeers({
      ranges: () => this.#config.listenRanges ?? [],
      peers,
      add: (peer) => this.#addDynamic(peer),
      remove: (peer, reason) => this.#removeDynamic(peer, reason),
      log,
    });
    this.#unnumbered = new UnnumberedPeers({
      open: options.openDiscovery ?? openDiscoverySocket,
      random,
      log,
      peers,
      moved: () => this.#relocate(),
    });
    const keyOf = (peer: PeerConfig): Uint8Array | undefined => this.#keys.keyOf(peer);
    this.#reception = new Reception({
      peers,
      welcome: (address) => (this.#stopped ? undefined : this.#dynamic.welcome(address)),
      welcomeOn: (device, address) => this.#unnumbered.welcome(device, address),
      keyOf,
      log,
    });
    this.#listeners = new Listeners(openSocket, (socket) => this.#reception.accept(socket), log);
    this.#host = {
      engine,
      log,
      random,
      events: this.#events,
      openSocket,
      machine: (peer) => recorder?.machine(peer) ?? new PeerMachine(peer),
      buffers: new BufferPool(),
      keyOf,
      wake: () => this.#loop.wake(),
      sessionUp: (peer, session) => this.#sessionUp(peer, session),
      sessionDown: (peer) => this.#sessionDown(peer),
      seemsAtRest: (peer) => this.#dynamic.seemsAtRest(peer),
      updateTaken: (peer, octets) => this.#updateTaken(peer, octets),
    };
    this.operator = this.#newOperator();
  }

  /** Settles when the speaker has stopped; rejects if it had to, with the reason. */
  get done(): Promise<void> {
    return this.#finished.promise;
  }

  /** What is in force: while drained, without peers. */
  get config(): SpeakerConfig {
    return this.#config;
  }

  /** Listens and dials. Once. */
  async start(): Promise<void> {
    this.#takeKeys();
    await this.#listeners.set(this.#config.listen);
    const restart = { restarting: this.#isRestart, preserved: this.#preserved };
    const added = this.#config.peers.map((peer) => this.#add(peer, restart));
    if (this.#isRestart) {
      this.#deferral = new RestartDeferral({
        peers: added.map(({ id }) => id),
        hasRanges: (this.#config.listenRanges ?? []).length > 0,
        limitSeconds: this.#config.gracefulRestart.deferralSeconds,
        log: this.#log,
        over: () => this.#deferralOver(),
      });
    } else this.#engine.endDeferral();
    for (const peer of added) peer.start();
    this.#unnumbered.locate(this.#config);
    this.#deferral?.check();
    this.#rpki.configure(this.#config.rpki);
    this.#bmp.configure(this.#config.bmp);
    this.#loop.wake();
  }

  /**
   * Takes over a new configuration: only sessions whose identity changed restart.
   *
   * @throws {ListenError} If a new address cannot be listened on; everything else is in force.
   */
  async reconfigure(config: SpeakerConfig): Promise<void> {
    this.#wanted = config;
    this.#putInForce(DECONFIGURED);
    await this.#listeners.set(config.listen);
  }

  /**
   * Takes the speaker out of service, or back into it; it stays so through reconfigurations. With `draining`, peers move
   * traffic to where it can go instead; with `drained`, sessions end with Cease/2, and peers drop our routes.
   */
  drain(phase: DrainPhase): void {
    if (this.#phase === phase) return;
    this.#log.info({ from: this.#phase, to: phase }, 'drain');
    this.#phase = phase;
    this.#events.add(undefined, { type: 'drain', phase });
    this.#putInForce(DRAINED);
    this.#onPeersInForce(this.#config);
  }

  /** @param ending Why sessions end that are to be no more. */
  #putInForce(ending: NotificationFault): void {
    const wanted = configInPhase(this.#wanted, this.#phase);
    const known = keepDynamicPeers(wanted, this.#config.peers);
    const config = this.#unnumbered.locate(known);
    const { removed, added, reopened, kept } = peerChanges(this.#config, config);
    this.#config = config;
    this.#takeKeys();
    for (const key of removed) this.#remove(key, ending);
    for (const peer of reopened) this.#remove(peerKey(peer), CHANGED);
    this.#convergence.changed(performance.now());
    this.#engine.configure(config);
    this.#rpki.configure(config.rpki);
    this.#bmp.configure(config.bmp);
    for (const peer of kept) {
      const runner = this.#peers.get(peerKey(peer));
      runner?.configure({ speaker: config, config: peer });
      if (!runner || !peer.unnumbered) continue;
      this.#applyBfd(runner);
      this.#applyLink(runner);
    }
    const restart = { restarting: this.isDeferring, preserved: this.#preserved };
    for (const peer of [...reopened, ...added]) this.#add(peer, restart).start();
    this.#loop.wake();
  }

  /** Unnumbered peers are elsewhere. */
  #relocate(): void {
    if (this.#stopped) return;
    this.#putInForce(DECONFIGURED);
    this.#onPeersInForce(this.#config);
  }

  /** Current interfaces and addresses. A session over a link that is down ends now (fast external fallover). */
  setInterfaces(interfaces: readonly InterfaceState[]): void {
    this.#interfaces = interfaces;
    this.#convergence.changed(performance.now());
    this.#engine.setInterfaces(interfaces);
    this.#neighbourProbe?.interfacesChanged(interfaces);
    this.#unnumbered.setInterfaces(interfaces);
    for (const peer of this.#peers.values()) this.#applyLink(peer);
    this.#loop.wake();
  }

  /**
   * BFD on this path has come up, gone down or been switched off: the sessions there that have `bfd` follow at
   * once (RFC 5882). A change for a path that has no peer is kept until it has; `undefined`: BFD says no more.
   */
  bfdChanged(path: BfdPath, change: BfdChange | undefined): void {
    const text = bfdPathText(path);
    if (change) this.#bfd.set(text, change);
    else this.#bfd.delete(text);
    // BFD that is gone says as little of the path as one that is switched off.
    const told = change ?? { state: 'admin-down', controlPlaneIndependent: false };
    for (const peer of this.#peers.values()) {
      if (bfdPathText(bfdPathTo(peer.config)) !== text) continue;
      if (peer.config.bfd && peer.bfd !== told.state) {
        peer.record.tell({ type: 'bfd', state: told.state });
      }
      peer.handle({ type: 'bfd', ...told });
    }
    this.#loop.wake();
  }

  /** Whether route selection still waits for the peers after a restart. */
  get isDeferring(): boolean {
    return this.#deferral !== undefined && !this.#deferral.isOver;
  }

  summary(): SpeakerSummary {
    const { routerId, asn, role } = this.#config;
    const peers = [...this.#peers.values()].map((peer) =>
      summarisePeer(peer, this.#config, this.#engine.counters(peer.id)),
    );
    return {
      routerId,
      asn,
      role,
      deferring: this.isDeferring,
      drain: {
        phase: this.#phase,
        peersKeptDown: this.#phase === 'drained' ? this.#wanted.peers.length : 0,
      },
      connectionsRefused: this.#reception.refused,
      longestTurnMs: this.#loop.longestTurnMs,
      peers,
      listenRanges: this.#dynamic.summary(),
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
    this.#unnumbered.stop(kind === 'shutdown');
    this.#rpki[Symbol.dispose]();
    this.#keys[Symbol.dispose]();
    this.#events[Symbol.dispose]();
    this.#loopDelay[Symbol.dispose]();
    this.operator[Symbol.dispose]();
    const fault =
      kind === 'shutdown' ? cease('AdministrativeShutdown', 'stopped', communication) : undefined;
    for (const peer of this.#peers.values()) peer.stop(fault);
    this.#bmp[Symbol.dispose]();
    this.#loop.stop();
    if (fault) await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
    this.#finished.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('restart');
  }

  #newLoop(onRouteBatch: SpeakerOptions['onRouteBatch']): WorkLoop {
    const pump = new RoutePump(this.#engine, onRouteBatch, {
      settled: () => this.#loop.wake(),
      failed: (error) => this.#fail(error),
    });
    const workers: readonly Worker[] = [
      (deadlineMs) => this.#readInput(deadlineMs),
      (deadlineMs) => this.#stepEngine(deadlineMs),
      (deadlineMs) => this.#writeUpdates(deadlineMs),
      (deadlineMs) => this.#deliver(pump, deadlineMs),
    ];
    return new WorkLoop(workers, () => {
      if (!pump.isDelivering && !this.isDeferring) this.#convergence.rests(performance.now());
    });
  }

  #newOperator(): SpeakerOperator {
    const currentConfig = (): SpeakerConfig => this.#config;
    return new SpeakerOperator({
      engine: this.#engine,
      get config() {
        return currentConfig();
      },
      peers: () => this.#peers.values(),
      summary: () => this.summary(),
      drain: (phase) => this.drain(phase),
      events: this.#events,
      rpki: this.#rpki,
      times: () => ({ convergence: this.#convergence.view, loopDelay: this.#loopDelay.view }),
      stations: () => this.#bmp.view(),
      wake: () => this.#loop.wake(),
    });
  }

  #bmpStations(openSocket: OpenSocket): BmpStations {
    return new BmpStations({
      engine: this.#engine,
      log: this.#log,
      openSocket,
      config: () => this.#config,
      peers: () => this.#peers.values(),
      wake: () => this.#loop.wake(),
    });
  }

  #sessionUp(peer: PeerRunner, session: UpSession): void {
    this.#convergence.changed(performance.now());
    this.#deferral?.peerUp(peer.id, session);
    this.#bmp.sessionUp(peer, session);
  }

  #sessionDown(peer: PeerRunner): void {
    this.#convergence.changed(performance.now());
    this.#deferral?.peerDown(peer.id);
    this.#bmp.sessionDown(peer);
  }

  /** What is for the kernel, then what is for stations. */
  #deliver(pump: RoutePump, deadlineMs: number): boolean {
    const hasBatch = pump.pump(deadlineMs);
    return this.#bmp.work(deadlineMs) || hasBatch;
  }

  #rpkiSource(openSocket: OpenSocket): RpkiSource {
    return new RpkiSource({
      log: this.#log,
      openSocket,
      changed: (tables, changed) => {
        this.#engine.vrpsChanged(tables, changed);
        this.#loop.wake();
      },
    });
  }

  #fail(error: unknown): void {
    this.#finished.reject(error);
    void this.stop('restart');
  }

  #add(config: PeerConfig, restart: Restart): PeerRunner {
    const peer = new PeerRunner({
      id: this.#freeId(),
      context: { speaker: this.#config, config },
      restart,
      host: this.#host,
    });
    this.#peers.set(peerKey(config), peer);
    peer.record.tell({ type: 'added' });
    this.#applyLink(peer);
    this.#applyBfd(peer);
    return peer;
  }

  #remove(key: string, fault: NotificationFault | undefined): void {
    const peer = this.#peers.get(key);
    if (!peer) return;
    peer.stop(fault);
    peer.record.tell({ type: 'removed' });
    this.#peers.delete(key);
    this.#links.delete(peer.id);
    this.#deferral?.peerRemoved(peer.id);
    this.#engine.peerRemoved(peer.id);
  }

  #freeId(): PeerId {
    const taken = new Set(Array.from(this.#peers.values(), ({ id }) => id));
    let id = 0;
    while (taken.has(id)) id += 1;
    return id;
  }

  #applyBfd(peer: PeerRunner): void {
    const change = this.#bfd.get(bfdPathText(bfdPathTo(peer.config)));
    if (change) peer.handle({ type: 'bfd', ...change });
  }

  #applyLink(peer: PeerRunner): void {
    const link = peerLink(this.#interfaces, peer.config, this.#links.get(peer.id));
    if (!link) return;
    this.#links.set(peer.id, link);
    peer.handle({ type: 'link', usable: link.usable && !isUnheard(peer.config) });
  }

  #addDynamic(config: PeerConfig): PeerRunner {
    this.#log.info({ peer: config.name, range: config.range }, 'a peer has come');
    this.#config = { ...this.#config, peers: [...this.#config.peers, config] };
    const peer = this.#add(config, { restarting: this.isDeferring, preserved: this.#preserved });
    peer.start();
    this.#onPeersInForce(this.#config);
    return peer;
  }

  #removeDynamic(peer: PeerRunner, reason: string | undefined): void {
    const key = peerKey(peer.config);
    // It may have been removed meanwhile, or have become a configured one.
    if (this.#stopped || this.#peers.get(key) !== peer || peer.config.range === undefined) return;
    const fault = reason === undefined ? undefined : cease('OutOfResources', reason);
    this.#remove(key, fault);
    const peers = this.#config.peers.filter((other) => peerKey(other) !== key);
    this.#config = { ...this.#config, peers };
    this.#onPeersInForce(this.#config);
  }

  #takeKeys(): void {
    this.#keys.configure(this.#config);
    this.#listeners.setKeys(this.#keys.byAddress());
  }

  /** A session whose key is another one now would only starve: it begins anew. */
  #keysChanged(holders: ReadonlySet<string>): void {
    this.#listeners.setKeys(this.#keys.byAddress());
    for (const peer of this.#config.peers.filter((config) => holders.has(keyHolder(config)))) {
      this.#log.info({ peer: peer.name }, 'the password has changed: the session begins anew');
      this.#remove(peerKey(peer), CHANGED);
      this.#add(peer, { restarting: this.isDeferring, preserved: this.#preserved }).start();
    }
    this.#loop.wake();
  }

  #updateTaken(peer: PeerRunner, octets: number): void {
    this.#undigestedOctets += octets;
    this.#convergence.changed(performance.now());
    if (this.isDeferring) this.#deferral?.received(peer.id, this.#engine);
  }

  #deferralOver(): void {
    this.#events.add(undefined, { type: 'selecting' });
    this.#log.info('selecting routes: the peers that came up have sent theirs');
    const restart = { restarting: false, preserved: this.#preserved };
    for (const peer of this.#peers.values()) peer.handle({ type: 'restart', restart });
    this.#engine.endDeferral();
    this.#loop.wake();
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
      if (!this.#engine.step(this.#tuner.units)) {
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

  /** Every peer once, each time from another one on. */
  #inTurn(): readonly PeerRunner[] {
    const peers = [...this.#peers.values()];
    this.#turns += 1;
    const first = this.#turns % Math.max(1, peers.length);
    return [...peers.slice(first), ...peers.slice(0, first)];
  }
}

function newEngine(config: SpeakerConfig, recorder: TraceRecorder | undefined): RouteEngine {
  return recorder?.engine(config) ?? createRouteEngine(config);
}

function cease(
  subcode: keyof typeof CeaseSubcode,
  reason: string,
  communication?: string,
): NotificationFault {
  const data = communication === undefined ? undefined : encodeCommunication(communication);
  const fault = { code: ErrorCode.Cease, subcode: CeaseSubcode[subcode] };
  return new BgpError(data ? { ...fault, data } : fault, reason);
}
