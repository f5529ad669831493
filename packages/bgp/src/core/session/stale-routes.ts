import type { Family } from '@overland/net';
import type { Negotiated } from './negotiation.ts';
import type { PeerEffect } from './peer-events.ts';

const timer = 'stale' as const;

/** The helper's side of graceful restart: which routes of a lost peer stay, and for how long. RFC 4724 section 4.2. */
export class StaleRoutes {
  /** Families with routes kept from a session that is over. */
  #families: readonly Family[] = [];
  #lostAtMs = 0;

  /** Whether there are any. */
  get any(): boolean {
    return this.#families.length > 0;
  }

  /**
   * TCP was lost, and nothing said that the peer is in error or wants its routes gone.
   *
   * @returns Families whose routes stay, for the shorter of the peer's Restart Time and `stalePathSeconds`.
   */
  lost(
    session: Negotiated,
    stalePathSeconds: number,
    nowMs: number,
  ): { readonly retain: readonly Family[]; readonly effects: readonly PeerEffect[] } {
    const restart = session.gracefulRestart;
    const seconds = Math.min(restart?.restartSeconds ?? 0, stalePathSeconds);
    const announced = restart?.families.map(({ family }) => family) ?? [];
    this.#families =
      seconds > 0 ? announced.filter((family) => session.families.includes(family)) : [];
    this.#lostAtMs = nowMs;
    return { retain: this.#families, effects: [this.#timer(seconds)] };
  }

  /** The session ended in a way after which nothing may stay. */
  ended(): readonly PeerEffect[] {
    this.#families = [];
    return [this.#timer(0)];
  }

  /**
   * The session is back: families whose forwarding was not kept lose their routes now, the others at End-of-RIB, or when
   * `stalePathSeconds` since the loss are over.
   */
  back(session: Negotiated, stalePathSeconds: number, nowMs: number): readonly PeerEffect[] {
    if (this.#families.length === 0) return [];
    const kept = session.gracefulRestart?.families.filter(({ forwarding }) => forwarding) ?? [];
    const stays = (family: Family): boolean =>
      session.families.includes(family) && kept.some((entry) => entry.family === family);
    const gone = this.#families.filter((family) => !stays(family));
    this.#families = this.#families.filter(stays);
    const seconds = Math.max(0, stalePathSeconds - (nowMs - this.#lostAtMs) / 1000);
    const reason = 'the peer did not keep them through its restart';
    return [
      ...(gone.length > 0 ? [{ type: 'flush', families: gone, reason } as const] : []),
      this.#timer(seconds),
    ];
  }

  /** What is still stale goes: its time is over, or the peer is stopped. */
  flush(reason: string): readonly PeerEffect[] {
    const families = this.#families;
    if (families.length === 0) return [];
    this.#families = [];
    return [{ type: 'flush', families, reason }, this.#timer(0)];
  }

  #timer(seconds: number): PeerEffect {
    if (this.#families.length === 0) return { type: 'disarm', timer };
    return { type: 'arm', timer, seconds };
  }
}
