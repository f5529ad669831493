import type { Family } from '@overland/net';
import type { SpeakerConfig } from '../config.ts';
import type { Negotiated } from './negotiation.ts';
import type { PeerEffect } from './peer-events.ts';

const timer = 'stale' as const;

type Settings = SpeakerConfig['gracefulRestart'];

/** What is kept of a family. */
interface Kept {
  /** When it goes, or becomes long-lived; monotonic milliseconds. */
  readonly untilMs: number;
  /** For how long after that as a last choice, seconds; 0: not at all. RFC 9494. */
  readonly longLivedSeconds: number;
  readonly isLongLived: boolean;
}

/**
 * The helper's side of graceful restart: which routes of a lost peer stay, and for how long (RFC 4724 section 4.2), then as a
 * last choice (RFC 9494 section 4.2).
 */
export class StaleRoutes {
  /** Families with routes kept from a session that is over. */
  readonly #kept = new Map<Family, Kept>();
  #lostAtMs = 0;

  /** Whether routes from a session that is over are kept. */
  get any(): boolean {
    return this.#kept.size > 0;
  }

  /**
   * TCP was lost, and nothing said that the peer is in error or wants its routes gone.
   *
   * @returns Families whose routes stay: for the shorter of the peer's Restart Time and ours, and for as long after that as
   *   both want. A time that runs since an earlier loss goes on: RFC 9494 section 4.2.
   */
  lost(
    session: Negotiated,
    settings: Settings,
    nowMs: number,
  ): { readonly retain: readonly Family[]; readonly effects: readonly PeerEffect[] } {
    const restart = session.gracefulRestart;
    const seconds = Math.min(restart?.restartSeconds ?? 0, settings.stalePathSeconds);
    for (const family of session.families) {
      if (this.#kept.get(family)?.isLongLived) continue;
      const isAnnounced = restart?.families.some((entry) => entry.family === family) ?? false;
      const isLongLived = !isAnnounced || seconds === 0;
      const longLivedSeconds = longLivedOf(session, family, settings);
      const untilMs = nowMs + 1000 * (isLongLived ? longLivedSeconds : seconds);
      this.#kept.delete(family);
      if (untilMs > nowMs) this.#kept.set(family, { untilMs, longLivedSeconds, isLongLived });
    }
    this.#lostAtMs = nowMs;
    const retain = session.families.filter((family) => this.#kept.has(family));
    const families = retain.filter((family) => this.#kept.get(family)?.isLongLived);
    return { retain, effects: [...longLived(families), this.#timer(nowMs)] };
  }

  /** The session ended in a way after which nothing may stay. */
  ended(): readonly PeerEffect[] {
    this.#kept.clear();
    return [this.#timer(0)];
  }

  /**
   * The session is back: families whose forwarding was not kept lose their routes now, the others at End-of-RIB, or when
   * `stalePathSeconds` since the loss are over; long-lived ones when their time is.
   */
  back(session: Negotiated, settings: Settings, nowMs: number): readonly PeerEffect[] {
    if (this.#kept.size === 0) return [];
    const forwarded = (from: readonly { family: Family; forwarding: boolean }[] = []) =>
      from.filter(({ forwarding }) => forwarding).map(({ family }) => family);
    const ofRestart = forwarded(session.gracefulRestart?.families);
    const ofLongLived = forwarded(session.longLivedRestart);
    const gone: Family[] = [];
    for (const [family, kept] of this.#kept) {
      const isForwarded = (kept.isLongLived ? ofLongLived : ofRestart).includes(family);
      if (!isForwarded || !session.families.includes(family)) {
        this.#kept.delete(family);
        gone.push(family);
      } else if (!kept.isLongLived) {
        const untilMs = this.#lostAtMs + 1000 * settings.stalePathSeconds;
        this.#kept.set(family, { ...kept, untilMs, longLivedSeconds: 0 });
      }
    }
    const reason = 'the peer did not keep them through its restart';
    return [...flushed(gone, reason), this.#timer(nowMs)];
  }

  /** The peer has sent its routes of a family again: what it has not sent is gone. */
  synchronised(family: Family, nowMs: number): readonly PeerEffect[] {
    return this.#kept.delete(family) ? [this.#timer(nowMs)] : [];
  }

  /** The time of those that are due first is over: they go, or become long-lived. */
  expired(nowMs: number): readonly PeerEffect[] {
    const dueMs = this.#earliestMs();
    const due = [...this.#kept].filter(([, { untilMs }]) => untilMs <= dueMs);
    const [gone, staying]: [Family[], Family[]] = [[], []];
    for (const [family, { longLivedSeconds, isLongLived }] of due) {
      const lives = !isLongLived && longLivedSeconds > 0;
      (lives ? staying : gone).push(family);
      const untilMs = dueMs + 1000 * longLivedSeconds;
      if (lives) this.#kept.set(family, { untilMs, longLivedSeconds, isLongLived: true });
      else this.#kept.delete(family);
    }
    if (due.length === 0) return [];
    const reason = 'the peer has not sent them again in time';
    return [...longLived(staying), ...flushed(gone, reason), this.#timer(nowMs)];
  }

  /** What is still stale goes: the path to the peer is lost, or it is stopped. */
  flush(reason: string): readonly PeerEffect[] {
    const families = [...this.#kept.keys()];
    if (families.length === 0) return [];
    this.#kept.clear();
    return [...flushed(families, reason), this.#timer(0)];
  }

  #earliestMs(): number {
    return Math.min(...Array.from(this.#kept.values(), ({ untilMs }) => untilMs));
  }

  #timer(nowMs: number): PeerEffect {
    if (this.#kept.size === 0) return { type: 'disarm', timer };
    return { type: 'arm', timer, seconds: Math.max(0, this.#earliestMs() - nowMs) / 1000 };
  }
}

/** The peer's Long-lived Stale Time of a family, as far as we go along with it. */
function longLivedOf(session: Negotiated, family: Family, settings: Settings): number {
  const wanted = session.longLivedRestart.find((entry) => entry.family === family);
  return Math.min(wanted?.staleSeconds ?? 0, settings.longLivedStaleSeconds ?? 0);
}

function longLived(families: readonly Family[]): PeerEffect[] {
  const reason = 'the peer is not back: they are the last choice';
  return families.length > 0 ? [{ type: 'longLived', families, reason }] : [];
}

function flushed(families: readonly Family[], reason: string): PeerEffect[] {
  return families.length > 0 ? [{ type: 'flush', families, reason }] : [];
}
