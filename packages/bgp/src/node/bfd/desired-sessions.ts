import { type BfdPeer, type BfdPeerKey, bfdPeerKey } from './bfd-peer.ts';

interface Client {
  readonly peers: readonly BfdPeer[];
  /** When what a client that has left wanted is given up; `undefined`: it is here. */
  readonly until?: number;
}

/**
 * Who wants which sessions. A client declares all of its own at once. Those of one that has left without a word are
 * kept for a time: an agent that restarts must not make its peers believe that the path is lost.
 */
export class DesiredSessions {
  readonly #clients = new Map<string, Client>();

  /** What a client wants from now on; nothing: it parts. */
  declare(client: string, peers: readonly BfdPeer[]): void {
    if (peers.length === 0) this.#clients.delete(client);
    else this.#clients.set(client, { peers });
  }

  /** The connection of a client is gone. @param until When its sessions end if it does not come back. */
  left(client: string, until: number): void {
    const found = this.#clients.get(client);
    if (found) this.#clients.set(client, { ...found, until });
  }

  /** Forgets the clients whose time is over. @returns When to ask again; `undefined`: nobody is awaited. */
  expire(now: number): number | undefined {
    for (const [name, { until = Infinity }] of this.#clients) {
      if (until <= now) this.#clients.delete(name);
    }
    const times = Array.from(this.#clients.values(), ({ until = Infinity }) => until);
    const next = Math.min(...times);
    return Number.isFinite(next) ? next : undefined;
  }

  /** What a client has declared: the keys. */
  keysOf(client: string): ReadonlySet<BfdPeerKey> {
    return new Set(this.#clients.get(client)?.peers.map(bfdPeerKey));
  }

  /** All sessions. If two clients want the same one, the settings of the one that came first hold. */
  get peers(): readonly BfdPeer[] {
    const wanted = new Map<BfdPeerKey, BfdPeer>();
    for (const { peers } of this.#clients.values()) {
      for (const peer of peers) {
        const key = bfdPeerKey(peer);
        if (!wanted.has(key)) wanted.set(key, peer);
      }
    }
    return [...wanted.values()];
  }
}
