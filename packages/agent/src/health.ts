/** What a part says of itself. */
export interface PartReport {
  /** Whether it does its work; a part that is not ready may still be fine. */
  readonly ready: boolean;
  /** One line for the operator: why it is not ready, or what it does. */
  readonly detail: string;
}

interface PartHealth extends PartReport {
  readonly part: string;
  /** Has reported within its deadline: its event loop turns. */
  readonly live: boolean;
}

export interface HealthSummary {
  readonly live: boolean;
  readonly ready: boolean;
  readonly parts: readonly PartHealth[];
}

interface Watched {
  readonly deadlineMs: number;
  reportedAt: number;
  report: PartReport;
}

/** The latest report of each part and when it came. Time is an argument. */
export class Health {
  readonly #parts: Map<string, Watched>;

  /** @param starting Parts that have yet to start: not ready, and no report is expected from them. */
  constructor(starting: readonly string[] = []) {
    const report = { ready: false, detail: 'starting' };
    this.#parts = new Map(
      starting.map((part) => [part, { deadlineMs: Infinity, reportedAt: 0, report }]),
    );
  }

  /** Expects a report at least every `deadlineMs`, from `now` on. */
  expect(part: string, deadlineMs: number, now: number): void {
    this.#parts.set(part, {
      deadlineMs,
      reportedAt: now,
      report: { ready: false, detail: 'starting' },
    });
  }

  /** Takes a report of an expected part. */
  report(part: string, report: PartReport, now: number): void {
    const watched = this.#parts.get(part);
    if (!watched) throw new Error(`no report is expected from ${part}`);
    watched.report = report;
    watched.reportedAt = now;
  }

  /** Live: every part has reported in time. Ready: and every part says it is. */
  summary(now: number): HealthSummary {
    const parts = [...this.#parts].map(([part, { deadlineMs, reportedAt, report }]): PartHealth => {
      const silentMs = now - reportedAt;
      if (silentMs <= deadlineMs) return { part, live: true, ...report };
      const detail = `no report for ${Math.round(silentMs / 1000)} s`;
      return { part, live: false, ready: false, detail };
    });
    return {
      live: parts.every(({ live }) => live),
      ready: parts.every(({ ready }) => ready),
      parts,
    };
  }
}
