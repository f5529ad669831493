/** Aim for one call of the engine, milliseconds: half the share of a turn, so that an unlucky call does no harm. */
const TARGET_MS = 0.8;
const LEAST = 16;
const MOST = 16_384;

/** Learns how many units of work fit a time, because a unit's cost depends on tables, filters and machine. */
export class UnitTuner {
  #units = 256;

  /** Units for the next call. */
  get units(): number {
    return this.#units;
  }

  /** @param elapsedMs What the last call of {@link units} units took. */
  measured(elapsedMs: number): void {
    const ratio = TARGET_MS / Math.max(elapsedMs, 0.001);
    const next = Math.round(this.#units * Math.min(2, Math.max(0.25, ratio)));
    this.#units = Math.min(MOST, Math.max(LEAST, next));
  }
}
