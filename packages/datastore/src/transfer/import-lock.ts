import { CLUSTER_INFORMATION_KEY, stringifyJson } from '@overland/model';
import type { Datastore, Entry, Operation } from '../datastore.ts';
import { type Compared, isSameValue } from './compare.ts';
import { isLocked, unchanged, withReady } from './lock.ts';

/** Stands for a ClusterInformation while a state that has none is written. Always the same, to be known again. */
const PLACEHOLDER = stringifyJson({
  kind: 'ClusterInformation',
  apiVersion: 'projectcalico.org/v3',
  metadata: { name: 'default', annotations: { 'overland.io/import': 'unfinished' } },
  spec: { datastoreReady: false },
});

/** What the target's ClusterInformation is while it is written to, and afterwards. */
export interface ImportLock {
  readonly verdict: Compared['verdict'];
  /** Locked: agents must not act on half of a state. */
  readonly during: string;
  /** `undefined`: there is none. */
  readonly after: string | undefined;
  /** Whether it is so already. */
  readonly isSettled: boolean;
}

/**
 * How to lock a datastore for an import. An import that was interrupted has left it locked, in a form in which it is
 * known again.
 *
 * @param exported The ClusterInformation that moves, if there is one.
 * @param actual What the target has.
 */
export function importLock(exported: string | undefined, actual: Entry | undefined): ImportLock {
  if (exported === undefined) return withoutExported(actual?.value);
  const during = withReady(exported, false);
  const unfinished = { during, after: exported, isSettled: false };
  if (!actual) return { ...unfinished, verdict: 'create' };
  if (isSameValue(actual.value, exported)) {
    return { verdict: 'same', during, after: exported, isSettled: true };
  }
  const isOurs = isSameValue(actual.value, during) || isSameValue(actual.value, PLACEHOLDER);
  if (isOurs) return { ...unfinished, verdict: 'create' };
  return { ...unfinished, verdict: 'change', during: withReady(actual.value, false) };
}

function withoutExported(actual: string | undefined): ImportLock {
  const verdict = 'same';
  if (actual === undefined || isSameValue(actual, PLACEHOLDER)) {
    return { verdict, during: PLACEHOLDER, after: undefined, isSettled: actual === undefined };
  }
  return { verdict, during: withReady(actual, false), after: actual, isSettled: true };
}

/**
 * Brings the target's ClusterInformation to a value.
 *
 * @param actual What it is, as last read or written.
 * @returns What it is now.
 * @throws {ConflictError} If somebody has changed it meanwhile.
 */
export async function setClusterInformation(
  target: Datastore,
  actual: Entry | undefined,
  value: string | undefined,
): Promise<Entry | undefined> {
  if (actual?.value === value) return actual;
  const key = CLUSTER_INFORMATION_KEY;
  const operation: Operation =
    value === undefined ? { type: 'delete', key } : { type: 'put', key, value };
  const conditions = [unchanged(key, actual)];
  const revision = await target.transact({ conditions, operations: [operation] });
  return value === undefined ? undefined : { key, value, revision };
}

/** Whether the datastore is locked once the import is through. */
export function staysLocked({ after }: ImportLock): boolean {
  return isLocked(after);
}
