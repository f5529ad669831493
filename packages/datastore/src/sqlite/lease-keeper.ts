import { readFileSync } from 'node:fs';
import type { LeaseId } from '../datastore.ts';
import type { LeaseTime, SqliteEngine } from './sqlite-engine.ts';

const SWEEP_MS = 500;
/** How long a lease must be seen expired before it is ended. */
const GRACE_MS = 1000;

/** Runs work on the database until it succeeds or the deadline passes. */
type Persist = <T>(work: (engine: SqliteEngine) => T, deadline: number) => Promise<T>;

/** Keeps this client's leases alive, and ends those that nobody keeps. */
export class LeaseKeeper implements Disposable {
  readonly #persist: Persist;
  readonly #onLost: (lease: LeaseId) => void;
  readonly #timers = new Map<LeaseId, NodeJS.Timeout>();
  readonly #boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  readonly #sweep: NodeJS.Timeout;
  /** Leases that were seen expired, and since when. */
  #suspects = new Map<number, number>();

  constructor(persist: Persist, onLost: (lease: LeaseId) => void) {
    this.#persist = persist;
    this.#onLost = onLost;
    this.#sweep = setInterval(() => void this.sweep(), SWEEP_MS);
  }

  async grant(ttlMs: number, deadline: number): Promise<LeaseId> {
    const id = await this.#persist((engine) => engine.grantLease(ttlMs, this.#now()), deadline);
    const lease = String(id) as LeaseId;
    this.#keepLater(lease, ttlMs, performance.now());
    return lease;
  }

  async revoke(lease: LeaseId, deadline: number): Promise<void> {
    await this.#persist((engine) => engine.endLeases([Number(lease)]), deadline);
    this.#forget(lease);
  }

  /**
   * Ends leases that have expired. Twice seen, with a write in between: after an outage, in which nobody could
   * keep his lease, every keeper gets to write first.
   */
  async sweep(): Promise<void> {
    try {
      await this.#persist((engine) => this.#sweepOnce(engine), 0);
    } catch {
      // The database is busy or away; nothing expires meanwhile.
      this.#suspects.clear();
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweep);
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #sweepOnce(engine: SqliteEngine): void {
    const now = this.#now();
    const expired = engine.expiredLeases(now);
    const due = expired.filter((id) => {
      const since = this.#suspects.get(id);
      return since !== undefined && now.milliseconds - since >= GRACE_MS;
    });
    // Without any due it still takes the lock for a moment, which proves that others could.
    if (expired.length > 0) engine.endLeases(due, now);
    this.#suspects = new Map(
      expired.map((id) => [id, this.#suspects.get(id) ?? now.milliseconds] as const),
    );
  }

  #keepLater(lease: LeaseId, ttlMs: number, confirmed: number): void {
    const timer = setTimeout(() => void this.#keep(lease, ttlMs, confirmed), ttlMs / 3);
    this.#timers.set(lease, timer);
  }

  async #keep(lease: LeaseId, ttlMs: number, confirmed: number): Promise<void> {
    const sent = performance.now();
    try {
      const keep = (engine: SqliteEngine) => engine.keepLease(Number(lease), this.#now());
      const isKept = await this.#persist(keep, confirmed + ttlMs);
      if (!this.#timers.has(lease)) return;
      if (isKept) return this.#keepLater(lease, ttlMs, sent);
    } catch {
      // Not confirmed for its whole time: lost as far as anybody can tell.
    }
    if (!this.#timers.has(lease)) return;
    this.#forget(lease);
    this.#onLost(lease);
  }

  #forget(lease: LeaseId): void {
    clearTimeout(this.#timers.get(lease));
    this.#timers.delete(lease);
  }

  #now(): LeaseTime {
    // The monotonic clock is one for all processes of a boot.
    return { milliseconds: Number(process.hrtime.bigint() / 1_000_000n), boot: this.#boot };
  }
}
