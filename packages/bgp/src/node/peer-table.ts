import type { PeerConfig } from '../core/config.ts';
import type { InterfaceState, NotificationFault, PeerId } from '../core/rib/route-engine.ts';
import type { BfdChange } from '../core/session/bfd-gate.ts';
import type { Restart } from '../core/session/negotiation.ts';
import { peerKey } from '../core/session/peer-changes.ts';
import type { PeerContext } from '../core/session/peer-events.ts';
import { type PeerLink, peerLink } from '../core/session/peer-link.ts';
import { isUnheard } from '../core/session/unnumbered.ts';
import { type BfdPath, bfdPathText, bfdPathTo } from './bfd/bfd-path.ts';
import { type PeerHost, PeerRunner } from './peer-runner.ts';

/** The peers that there are, in the order in which they came, and what is known of the paths to them: link and BFD. */
export class PeerTable implements Iterable<PeerRunner> {
  readonly #host: PeerHost;
  readonly #removed: (id: PeerId) => void;
  /** By `peerKey`. */
  readonly #peers = new Map<string, PeerRunner>();
  readonly #links = new Map<PeerId, PeerLink>();
  /** What BFD last said of each path: sessions that begin anew need it too. */
  readonly #bfd = new Map<string, BfdChange>();
  #interfaces: readonly InterfaceState[] = [];

  /** @param removed Told of a peer that is to be no more before the engine is. */
  constructor(host: PeerHost, removed: (id: PeerId) => void) {
    this.#host = host;
    this.#removed = removed;
  }

  [Symbol.iterator](): Iterator<PeerRunner> {
    return this.#peers.values();
  }

  get(config: PeerConfig): PeerRunner | undefined {
    return this.#peers.get(peerKey(config));
  }

  /** @returns The new peer, which knows of its link and of BFD, and has yet to be started. */
  add(context: PeerContext, restart: Restart): PeerRunner {
    const peer = new PeerRunner({ id: this.#freeId(), context, restart, host: this.#host });
    this.#peers.set(peerKey(context.config), peer);
    peer.record.tell({ type: 'added' });
    this.#applyLink(peer);
    this.#applyBfd(peer);
    return peer;
  }

  /** @param key Of `peerKey`; there may be no such peer. @param fault As in {@link PeerRunner.stop}. */
  remove(key: string, fault: NotificationFault | undefined): void {
    const peer = this.#peers.get(key);
    if (!peer) return;
    peer.stop(fault);
    peer.record.tell({ type: 'removed' });
    this.#peers.delete(key);
    this.#links.delete(peer.id);
    this.#removed(peer.id);
    this.#host.engine.peerRemoved(peer.id);
  }

  /** Takes over the new configuration of a peer whose session stays. */
  configure(context: PeerContext): void {
    const peer = this.get(context.config);
    peer?.configure(context);
    if (!peer || !context.config.unnumbered) return;
    // It may be elsewhere now.
    this.#applyBfd(peer);
    this.#applyLink(peer);
  }

  /** Takes over the interfaces; the peers that are there are told with {@link applyLinks}. */
  setInterfaces(interfaces: readonly InterfaceState[]): void {
    this.#interfaces = interfaces;
  }

  /** A session over a link that is down ends now (fast external fallover). */
  applyLinks(): void {
    for (const peer of this.#peers.values()) this.#applyLink(peer);
  }

  /** What BFD says of a path, which may have no peer yet. @param change `undefined`: BFD says no more. */
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
}
