/** When something was first seen as it still is, milliseconds since 1970. */
export type Observations = ReadonlyMap<string, number>;

/** What may be acted on, and what to remember for the next look. */
export interface Ripened<T> {
  readonly ripe: readonly T[];
  readonly observations: Observations;
}

/**
 * Lets only that through which has been seen before, and for at least a grace period: whoever is between two steps of
 * a change has ended by then. What was not seen this time is forgotten.
 *
 * @param now Milliseconds since 1970.
 */
export function ripen<T>(
  seen: readonly T[],
  before: Observations,
  {
    identityOf,
    now,
    graceMs,
  }: {
    readonly identityOf: (item: T) => string;
    readonly now: number;
    readonly graceMs: number;
  },
): Ripened<T> {
  const observations = new Map<string, number>();
  const ripe: T[] = [];
  for (const item of seen) {
    const id = identityOf(item);
    const since = before.get(id);
    observations.set(id, since ?? now);
    if (since !== undefined && now - since >= graceMs) ripe.push(item);
  }
  return { ripe, observations };
}
