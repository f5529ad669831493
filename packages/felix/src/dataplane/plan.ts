/** What turns `actual` into `desired`. Keys are in the order of the map they come from. */
export interface Plan<K, V> {
  readonly create: readonly (readonly [K, V])[];
  /** Desired value of a key of ours that differs. */
  readonly replace: readonly (readonly [K, V])[];
  /** Actual value of a key of ours that is not wanted. */
  readonly remove: readonly (readonly [K, V])[];
  /** Wanted, but somebody else's: left alone. */
  readonly blocked: readonly K[];
}

export interface PlanRules<V> {
  readonly equal: (desired: V, actual: V) => boolean;
  /** Whether an actual value is provably ours; only then is it replaced or removed. */
  readonly owned: (actual: V) => boolean;
}

/** Compares what should be with what is: the one step that all reconcilers share. */
export function plan<K, V>(
  desired: ReadonlyMap<K, V>,
  actual: ReadonlyMap<K, V>,
  { equal, owned }: PlanRules<V>,
): Plan<K, V> {
  const create: [K, V][] = [];
  const replace: [K, V][] = [];
  const blocked: K[] = [];
  for (const [key, value] of desired) {
    const found = actual.get(key);
    if (found === undefined) create.push([key, value]);
    else if (!owned(found)) blocked.push(key);
    else if (!equal(value, found)) replace.push([key, value]);
  }
  const remove = [...actual].filter(([key, value]) => !desired.has(key) && owned(value));
  return { create, replace, remove, blocked };
}
