import type { Family } from '@overland/net';
import type { PeerId } from '../rib/route-engine.ts';

/**
 * How long a restarted speaker waits before it selects routes: RFC 4724 section 4.1, less the wait for the dead.
 * Waiting for every configured peer costs minutes when one of them is gone (projectcalico/calico #7144), so:
 *
 * - within the short window every peer may still come up and be waited for;
 * - after it only those that came up count, but at least one must have;
 * - a peer that restarted itself is up, yet not waited for: it waits for us;
 * - the hard limit ends it in any case.
 */
export class Deferral {
  /** Peers that are not up. */
  readonly #absent: Set<PeerId>;
  /** Peers that are up, with the families whose End-of-RIB is to come. */
  readonly #present = new Map<PeerId, Set<Family>>();
  #windowOpen = true;
  #over = false;

  constructor(peers: Iterable<PeerId>) {
    this.#absent = new Set(peers);
  }

  /** Whether routes may be selected. Once true it stays so. */
  get isOver(): boolean {
    if (this.#over) return true;
    if (this.#windowOpen && this.#absent.size > 0) return false;
    if (this.#absent.size > 0 && this.#present.size === 0) return false;
    const waiting = [...this.#present.values()].some((families) => families.size > 0);
    this.#over = !waiting;
    return this.#over;
  }

  /** @param endOfRibExpected None for a peer that restarted itself, or sends no End-of-RIB. */
  peerUp(peer: PeerId, endOfRibExpected: readonly Family[]): void {
    this.#absent.delete(peer);
    this.#present.set(peer, new Set(endOfRibExpected));
  }

  endOfRib(peer: PeerId, family: Family): void {
    this.#present.get(peer)?.delete(family);
  }

  /** A peer whose session ended is absent again; it keeps nobody waiting. */
  peerDown(peer: PeerId): void {
    if (this.#present.delete(peer)) this.#absent.add(peer);
  }

  /** The peer is no longer configured. */
  peerRemoved(peer: PeerId): void {
    this.#present.delete(peer);
    this.#absent.delete(peer);
  }

  windowEnds(): void {
    this.#windowOpen = false;
  }

  limitReached(): void {
    this.#over = true;
  }
}
