import type { Health, PartReport } from './health.ts';

/** What every thread of the agent answers about itself. */
export type HealthMethods = { health: () => PartReport };

const ASK_EVERY_MS = 1000;

/** How long a thread may be silent: a full table, or a slow kernel, keeps one busy for some seconds. */
const DEADLINE_MS = 15_000;

/** Something that answers. */
export interface HealthSource {
  readonly health: () => Promise<PartReport>;
}

/**
 * Asks each part about itself once a second; the reply is its report. One question is under way per part: a part
 * that does not answer is not asked again, and its deadline passes.
 */
export function watchHealth(
  health: Health,
  parts: Readonly<Record<string, HealthSource>>,
): Disposable {
  for (const part of Object.keys(parts)) health.expect(part, DEADLINE_MS, performance.now());
  const asking = new Set<string>();
  const ask = async (part: string, source: HealthSource): Promise<void> => {
    if (asking.has(part)) return;
    asking.add(part);
    try {
      health.report(part, await source.health(), performance.now());
    } catch {
      // The thread has gone; its end is handled where it was started.
    } finally {
      asking.delete(part);
    }
  };
  const askAll = (): void => {
    for (const [part, source] of Object.entries(parts)) void ask(part, source);
  };
  askAll();
  const timer = setInterval(askAll, ASK_EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
