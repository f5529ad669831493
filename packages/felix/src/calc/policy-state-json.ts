import type { PolicyState } from './policy-state.ts';

/** To be raised whenever a part of the state gets another shape: what an older agent has written is then nothing. */
const VERSION = 2;

interface Stored {
  readonly version: number;
  readonly sets: readonly (readonly [
    string,
    { readonly kind: string; readonly members: string[] },
  ])[];
  readonly lists: readonly (readonly [string, unknown])[];
  readonly endpoints: readonly (readonly [string, unknown])[];
  readonly host?: unknown;
}

/** The state as JSON, for a file that only we read. */
export function policyStateToJson({ sets, lists, endpoints, host }: PolicyState): unknown {
  const stored: Stored = {
    version: VERSION,
    sets: [...sets].map(([id, { kind, members }]) => [id, { kind, members: [...members] }]),
    lists: [...lists],
    endpoints: [...endpoints],
    host,
  };
  return stored;
}

/** The inverse of {@link policyStateToJson}; `undefined` if it is of another version of the agent. */
export function policyStateFromJson(json: unknown): PolicyState | undefined {
  const stored = json as Partial<Stored> | null | undefined;
  if (stored?.version !== VERSION) return undefined;
  const { sets = [], lists = [], endpoints = [], host } = stored;
  return {
    sets: new Map(
      sets.map(([id, { kind, members }]) => [id, { kind, members: new Set(members) }]),
    ) as PolicyState['sets'],
    lists: new Map(lists) as PolicyState['lists'],
    endpoints: new Map(endpoints) as PolicyState['endpoints'],
    ...(host ? { host: host as PolicyState['host'] } : {}),
  };
}
