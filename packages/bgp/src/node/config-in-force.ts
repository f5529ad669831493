import type { IpAddress } from '@overland/net';
import type { Logger } from 'pino';
import type { PeerConfig, SpeakerConfig } from '../core/config.ts';
import type { InterfaceState, NotificationFault } from '../core/rib/route-engine.ts';
import { keepDynamicPeers } from '../core/session/listen-ranges.ts';
import type { Restart } from '../core/session/negotiation.ts';
import { peerChanges, peerKey } from '../core/session/peer-changes.ts';
import { configInPhase, type DrainPhase } from './drain.ts';
import { DynamicPeers, type RangeSummary } from './dynamic-peers.ts';
import type { Listeners } from './listeners.ts';
import type { PeerRunner } from './peer-runner.ts';
import type { PeerTable } from './peer-table.ts';
import type { OpenDiscovery } from './router-discovery.ts';
import { CHANGED, cease, DECONFIGURED, DRAINED } from './session-endings.ts';
import { keyHolder, SessionKeys } from './session-keys.ts';
import type { SpeakerOptions } from './speaker-options.ts';
import { UnnumberedPeers } from './unnumbered-peers.ts';

/** What of the speaker its configuration needs. */
export interface ConfigInForceHost {
  readonly log: Logger;
  readonly random: () => number;
  readonly openDiscovery: OpenDiscovery;
  readonly peers: PeerTable;
  readonly listeners: Listeners;
  /** What peers that are added are to make of a restart of ours. */
  readonly restart: () => Restart;
  /** All but the peers are to take this over: those that are no more are gone, the others not told yet. */
  readonly apply: (config: SpeakerConfig) => void;
  readonly onPeersInForce: NonNullable<SpeakerOptions['onPeersInForce']>;
  /** There may be work. */
  readonly wake: () => void;
}

/**
 * What is in force of the configuration: what the drain phase makes of what was told, with the peers that came from listen
 * ranges, and with unnumbered ones where they are. Peers come, go and are told as it changes.
 */
export class ConfigInForce {
  readonly #host: ConfigInForceHost;
  readonly #dynamic: DynamicPeers;
  readonly #unnumbered: UnnumberedPeers;
  readonly #keys: SessionKeys;
  /** As told. */
  #wanted: SpeakerConfig;
  #phase: DrainPhase = 'active';
  #config: SpeakerConfig;
  #knowsConfigured = false;
  #stopped = false;

  constructor(config: SpeakerConfig, host: ConfigInForceHost) {
    const { log, random, openDiscovery } = host;
    this.#host = host;
    this.#wanted = config;
    this.#config = config;
    this.#keys = new SessionKeys(log, (holders) => this.#keysChanged(holders));
    const peers = (): Iterable<PeerRunner> => host.peers;
    this.#dynamic = new DynamicPeers({
      ranges: () => this.#config.listenRanges ?? [],
      peers,
      add: (peer) => this.#addDynamic(peer),
      remove: (peer, reason) => this.#removeDynamic(peer, reason),
      log,
    });
    this.#unnumbered = new UnnumberedPeers({
      open: openDiscovery,
      random,
      log,
      peers,
      moved: () => this.#relocate(),
    });
  }

  /** While drained, without peers. */
  get config(): SpeakerConfig {
    return this.#config;
  }

  get drain(): { readonly phase: DrainPhase; readonly peersKeptDown: number } {
    const phase = this.#phase;
    return { phase, peersKeptDown: phase === 'drained' ? this.#wanted.peers.length : 0 };
  }

  /** How full the listen ranges are. */
  get listenRanges(): readonly RangeSummary[] {
    return this.#dynamic.summary();
  }

  /** @returns The peers, which have yet to be started. @throws {ListenError} If it cannot be listened on an address. */
  async open(): Promise<PeerRunner[]> {
    this.#takeKeys();
    await this.#host.listeners.set(this.#config.listen);
    this.#knowsConfigured = true;
    return this.#config.peers.map((peer) => this.#add(peer));
  }

  /** Looks for the unnumbered peers. */
  locate(): void {
    this.#unnumbered.locate(this.#config);
  }

  /** @throws {ListenError} If a new address cannot be listened on; everything else is in force. */
  async reconfigure(config: SpeakerConfig): Promise<void> {
    this.#wanted = config;
    this.#putInForce(DECONFIGURED);
    await this.#host.listeners.set(config.listen);
  }

  /** Takes over the phase, which is another one. */
  enter(phase: DrainPhase): void {
    this.#phase = phase;
    this.#putInForce(DRAINED);
    this.#host.onPeersInForce(this.#config);
  }

  setInterfaces(interfaces: readonly InterfaceState[]): void {
    this.#unnumbered.setInterfaces(interfaces);
  }

  /** The peer for somebody unknown who dials from this address; `undefined`: no range has room for it. */
  welcome(address: IpAddress): PeerRunner | undefined {
    // Who dials before the configured peers are known may be one of them.
    return this.#stopped || !this.#knowsConfigured ? undefined : this.#dynamic.welcome(address);
  }

  /** The unnumbered peer for somebody who dials over an interface. */
  welcomeOn(device: string, address: IpAddress): PeerRunner | undefined {
    return this.#unnumbered.welcome(device, address);
  }

  /** @throws {KeyError} If the peer has a password that cannot be had. */
  keyOf(peer: PeerConfig): Uint8Array | undefined {
    return this.#keys.keyOf(peer);
  }

  /** Nothing seems to be under way with a peer from a listen range. */
  seemsAtRest(peer: PeerRunner): void {
    this.#dynamic.seemsAtRest(peer);
  }

  /** @param farewell Whether we are no router any more, rather than back soon. */
  stop(farewell: boolean): void {
    this.#stopped = true;
    this.#unnumbered.stop(farewell);
    this.#keys[Symbol.dispose]();
  }

  /** @param ending Why sessions end that are to be no more. */
  #putInForce(ending: NotificationFault): void {
    const { peers, apply, wake } = this.#host;
    const wanted = configInPhase(this.#wanted, this.#phase);
    const known = keepDynamicPeers(wanted, this.#config.peers);
    const config = this.#unnumbered.locate(known);
    const { removed, added, reopened, kept } = peerChanges(this.#config, config);
    this.#config = config;
    this.#takeKeys();
    for (const key of removed) peers.remove(key, ending);
    for (const peer of reopened) peers.remove(peerKey(peer), CHANGED);
    apply(config);
    for (const peer of kept) peers.configure({ speaker: config, config: peer });
    for (const peer of [...reopened, ...added]) this.#add(peer).start();
    wake();
  }

  /** Unnumbered peers are elsewhere. */
  #relocate(): void {
    if (this.#stopped) return;
    this.#putInForce(DECONFIGURED);
    this.#host.onPeersInForce(this.#config);
  }

  #add(config: PeerConfig): PeerRunner {
    return this.#host.peers.add({ speaker: this.#config, config }, this.#host.restart());
  }

  #addDynamic(config: PeerConfig): PeerRunner {
    this.#host.log.info({ peer: config.name, range: config.range }, 'a peer has come');
    this.#config = { ...this.#config, peers: [...this.#config.peers, config] };
    const peer = this.#add(config);
    peer.start();
    this.#host.onPeersInForce(this.#config);
    return peer;
  }

  #removeDynamic(peer: PeerRunner, reason: string | undefined): void {
    const { peers, onPeersInForce } = this.#host;
    // It may have been removed meanwhile, or have become a configured one.
    if (this.#stopped || peers.get(peer.config) !== peer || peer.config.range === undefined) return;
    const key = peerKey(peer.config);
    const fault = reason === undefined ? undefined : cease('OutOfResources', reason);
    peers.remove(key, fault);
    const others = this.#config.peers.filter((other) => peerKey(other) !== key);
    this.#config = { ...this.#config, peers: others };
    onPeersInForce(this.#config);
  }

  #takeKeys(): void {
    this.#keys.configure(this.#config);
    this.#host.listeners.setKeys(this.#keys.byAddress());
  }

  /** A session whose key is another one now would only starve: it begins anew. */
  #keysChanged(holders: ReadonlySet<string>): void {
    const { listeners, log, peers, wake } = this.#host;
    listeners.setKeys(this.#keys.byAddress());
    for (const peer of this.#config.peers.filter((config) => holders.has(keyHolder(config)))) {
      log.info({ peer: peer.name }, 'the password has changed: the session begins anew');
      peers.remove(peerKey(peer), CHANGED);
      this.#add(peer).start();
    }
    wake();
  }
}
