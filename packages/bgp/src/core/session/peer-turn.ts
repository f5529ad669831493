import type { PeerEffect } from './peer-events.ts';

/** One event of a peer on its way: when it came, why the state changes, and what is to be done for it so far. */
export class PeerTurn {
  #nowMs = 0;
  #effects: PeerEffect[] = [];
  /** For the operator: the latest reason counts. */
  reason = '';

  /** Monotonic time of the event, milliseconds. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get effects(): readonly PeerEffect[] {
    return this.#effects;
  }

  begin(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#effects = [];
    this.reason = '';
  }

  push(...effects: readonly PeerEffect[]): void {
    this.#effects.push(...effects);
  }
}
