import type { HostFilter } from './host-filter.ts';
import type { SetId } from './policy/active-rule.ts';
import type { RuleList } from './policy/policy-view.ts';
import type { EndpointFilter, ListId, PolicyState, SetState } from './policy-state.ts';

/** What leads from one state to another. Plain data, fit for `postMessage`; `undefined` removes. */
export interface PolicyChange {
  /** Whether the datastore has been read to its end. Before, nothing is removed from the kernel. */
  readonly synced: boolean;
  readonly sets: ReadonlyMap<SetId, SetChange | undefined>;
  readonly lists: ReadonlyMap<ListId, RuleList | undefined>;
  readonly endpoints: ReadonlyMap<string, EndpointFilter | undefined>;
  /** As a whole; absent: as it was. */
  readonly host?: HostFilter | undefined;
}

/** A set as a whole, or members of one that is there; no member is both added and removed. */
export type SetChange = SetState | MemberChange;

interface MemberChange {
  readonly kind: SetState['kind'];
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** A state that changes are applied to. */
export interface MutablePolicyState extends PolicyState {
  readonly sets: Map<SetId, { readonly kind: SetState['kind']; readonly members: Set<string> }>;
  readonly lists: Map<ListId, RuleList>;
  readonly endpoints: Map<string, EndpointFilter>;
  host?: HostFilter | undefined;
}

export function emptyPolicyState(): MutablePolicyState {
  return { sets: new Map(), lists: new Map(), endpoints: new Map() };
}

/** What makes `before` into `after`. */
export function differenceOf(
  before: PolicyState,
  after: PolicyState,
  synced: boolean,
): PolicyChange {
  const host = after.host && ifDifferent(before.host, after.host);
  return {
    synced,
    ...(host ? { host } : {}),
    sets: differences(before.sets, after.sets, setChange),
    lists: differences(before.lists, after.lists, ifDifferent),
    endpoints: differences(before.endpoints, after.endpoints, ifDifferent),
  };
}

/** Whether a change says nothing new. */
export function isEmptyChange({ sets, lists, endpoints, host }: PolicyChange): boolean {
  return sets.size === 0 && lists.size === 0 && endpoints.size === 0 && host === undefined;
}

/**
 * Makes a state into what follows from a change: the state before the change, into the one after it.
 *
 * @throws {RangeError} If members change of a set that is not there: then the change is for another state.
 */
export function applyChange(state: MutablePolicyState, change: PolicyChange): void {
  for (const [id, set] of change.sets) {
    if (set === undefined) state.sets.delete(id);
    else if ('members' in set) state.sets.set(id, { ...set, members: new Set(set.members) });
    else {
      const members = state.sets.get(id)?.members;
      if (!members) throw new RangeError(`there is no set ${id}`);
      for (const member of set.remove) members.delete(member);
      for (const member of set.add) members.add(member);
    }
  }
  put(state.lists, change.lists);
  put(state.endpoints, change.endpoints);
  if (change.host) state.host = change.host;
}

function differences<V, D>(
  before: ReadonlyMap<string, V>,
  after: ReadonlyMap<string, V>,
  compare: (from: V | undefined, to: V) => D | undefined,
): Map<string, D | undefined> {
  const changes = new Map<string, D | undefined>();
  for (const [key, value] of after) {
    const change = compare(before.get(key), value);
    if (change !== undefined) changes.set(key, change);
  }
  for (const key of before.keys()) if (!after.has(key)) changes.set(key, undefined);
  return changes;
}

function setChange(from: SetState | undefined, to: SetState): SetChange | undefined {
  if (from?.kind !== to.kind) return to;
  const add = [...to.members].filter((member) => !from.members.has(member));
  const remove = [...from.members].filter((member) => !to.members.has(member));
  return add.length + remove.length === 0 ? undefined : { kind: to.kind, add, remove };
}

function ifDifferent<V>(from: V | undefined, to: V): V | undefined {
  return JSON.stringify(from) === JSON.stringify(to) ? undefined : to;
}

function put<V>(values: Map<string, V>, changes: ReadonlyMap<string, V | undefined>): void {
  for (const [key, value] of changes) {
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }
}
