import type { Family } from '@overland/net';
import type { Negotiated } from './negotiation.ts';

/** What the loss or the return of a session means for routes learned before. */
interface Verdict {
  readonly families: readonly Family[];
  /** How long they may stay, from now; 0 if there are none. */
  readonly seconds: number;
}

const NOTHING: Verdict = { families: [], seconds: 0 };

/** The helper's side of graceful restart: which routes of a lost peer stay, and for how long. RFC 4724 section 4.2. */
export class StaleRoutes {
  #families: readonly Family[] = [];
  #lostAtMs = 0;

  /** Families with routes kept from a session that is over. */
  get families(): readonly Family[] {
    return this.#families;
  }

  /** TCP was lost, and nothing said that the peer is in error or wants its routes gone. */
  lost(session: Negotiated, stalePathSeconds: number, nowMs: number): Verdict {
    const restart = session.gracefulRestart;
    const seconds = Math.min(restart?.restartSeconds ?? 0, stalePathSeconds);
    const announced = restart?.families.map(({ family }) => family) ?? [];
    const families = announced.filter((family) => session.families.includes(family));
    if (seconds === 0 || families.length === 0) return this.forget();
    this.#families = families;
    this.#lostAtMs = nowMs;
    return { families, seconds };
  }

  /** The session is back: families without forwarding kept lose their routes now, the others at End-of-RIB. */
  back(session: Negotiated, stalePathSeconds: number, nowMs: number): Verdict {
    const kept = session.gracefulRestart?.families.filter(({ forwarding }) => forwarding) ?? [];
    const families = this.#families.filter(
      (family) =>
        session.families.includes(family) && kept.some((entry) => entry.family === family),
    );
    const seconds = stalePathSeconds - (nowMs - this.#lostAtMs) / 1000;
    if (families.length === 0 || seconds <= 0) return this.forget();
    this.#families = families;
    return { families, seconds };
  }

  /** Nothing stays. */
  forget(): Verdict {
    this.#families = [];
    return NOTHING;
  }
}
