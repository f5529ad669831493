import type { IpAddress, Prefix } from '@overland/net';
import type { Logger } from 'pino';
import type { ListenRange, PeerConfig } from '../core/config.ts';
import { peerFrom, rangeOf } from '../core/session/listen-ranges.ts';
import type { PeerRunner } from './peer-runner.ts';

/** What of the speaker the peers from its listen ranges need. */
export interface DynamicPeersHost {
  readonly ranges: () => readonly ListenRange[];
  readonly peers: () => Iterable<PeerRunner>;
  /** Adds a peer, and starts it. */
  readonly add: (config: PeerConfig) => PeerRunner;
  /** @param reason Absent: there is nothing to tell the peer. */
  readonly remove: (peer: PeerRunner, reason?: string) => void;
  readonly log: Logger;
}

/** How full a listen range is. */
export interface RangeSummary {
  readonly prefix: Prefix;
  readonly peers: number;
  readonly limit: number;
}

/**
 * Peers that come from listen ranges: made when they dial, gone when nothing is left of them. A peer whose session was
 * lost under graceful restart stays as long as its routes do, and one that has failed as long as it is kept waiting.
 */
export class DynamicPeers {
  readonly #host: DynamicPeersHost;
  /** Ranges of which it has been said that they are full. */
  readonly #full = new Set<Prefix>();

  constructor(host: DynamicPeersHost) {
    this.#host = host;
  }

  /** The peer for somebody unknown who dials from this address; `undefined`: no range has room for it. */
  welcome(address: IpAddress): PeerRunner | undefined {
    const range = rangeOf(this.#host.ranges(), address);
    if (!range) return undefined;
    const present = this.#of(range.prefix);
    if (present.length >= range.limit && !this.#makeRoom(present)) {
      this.#tellFull(range);
      return undefined;
    }
    return this.#host.add(peerFrom(range, address));
  }

  /** Nothing seems to be under way with this peer: it goes unless that is otherwise in a moment. */
  seemsAtRest(peer: PeerRunner): void {
    setImmediate(() => {
      if (peer.isAtRest) this.remove(peer);
    });
  }

  summary(): RangeSummary[] {
    return this.#host.ranges().map(({ prefix, limit }) => {
      return { prefix, peers: this.#of(prefix).length, limit };
    });
  }

  /** @param reason Told the peer, if there is a connection. */
  remove(peer: PeerRunner, reason?: string): void {
    const { range } = peer.config;
    if (range !== undefined) this.#full.delete(range);
    this.#host.remove(peer, reason);
  }

  /** Whoever has waited longest without a session gives way: otherwise connections that say nothing could fill a range. */
  #makeRoom(present: readonly PeerRunner[]): boolean {
    const silent = present.find(
      ({ record, keepsRoutes, isHeldDown }) => !record.session && !keepsRoutes && !isHeldDown,
    );
    if (silent) this.remove(silent, 'the listen range is full');
    return silent !== undefined;
  }

  #of(range: Prefix): PeerRunner[] {
    return [...this.#host.peers()].filter(({ config }) => config.range === range);
  }

  #tellFull({ prefix, limit }: ListenRange): void {
    if (this.#full.has(prefix)) return;
    this.#full.add(prefix);
    this.#host.log.warn({ range: prefix, limit }, 'the listen range is full');
  }
}
