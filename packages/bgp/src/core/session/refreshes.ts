import type { Family } from '@overland/net';
import type { PeerEffect } from './peer-events.ts';

const timer = 'refresh' as const;

/** Families of which the peer sends everything again, between its BoRR and its EoRR. RFC 7313 section 4. */
export class Refreshes {
  readonly #families = new Set<Family>();

  /** @param limitSeconds How long what the peer has not sent again stays if it never ends. */
  heard(kind: 'begin' | 'end', family: Family, limitSeconds: number): readonly PeerEffect[] {
    if (kind === 'begin') {
      this.#families.add(family);
      return [
        { type: 'beginRefresh', family },
        { type: 'arm', timer, seconds: limitSeconds },
      ];
    }
    // An end without a beginning says nothing of what the peer has sent.
    if (!this.#families.delete(family)) return [];
    const reason = 'the peer has not sent them again';
    return [{ type: 'flush', families: [family], reason }, ...this.#disarm()];
  }

  /** The peer has not come to an end in time. */
  expired(): readonly PeerEffect[] {
    const families = [...this.#families];
    this.#families.clear();
    const reason = 'the peer has not ended its route refresh in time';
    return families.length > 0 ? [{ type: 'flush', families, reason }] : [];
  }

  sessionEnded(): readonly PeerEffect[] {
    if (this.#families.size === 0) return [];
    this.#families.clear();
    return this.#disarm();
  }

  #disarm(): readonly PeerEffect[] {
    return this.#families.size === 0 ? [{ type: 'disarm', timer }] : [];
  }
}
