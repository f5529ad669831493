import { CLUSTER_INFORMATION_KEY, isJsonObject, parseJson, stringifyJson } from '@overland/model';
import type { Condition, Datastore, Entry } from '../datastore.ts';
import { ConflictError, UnusableError } from '../errors.ts';

const MAX_ATTEMPTS = 10;

/** Whether the datastore is locked: `datastoreReady: false` in its ClusterInformation. */
export function isLocked(clusterInformation: string | undefined): boolean {
  return clusterInformation !== undefined && readyIn(clusterInformation) === false;
}

/** Whether a datastore is locked now. */
export async function isDatastoreLocked(store: Datastore): Promise<boolean> {
  return isLocked((await store.get(CLUSTER_INFORMATION_KEY))?.value);
}

/** A ClusterInformation with `datastoreReady` set; everything else as it is. */
export function withReady(clusterInformation: string, ready: boolean): string {
  const object = objectOf(clusterInformation);
  const spec = isJsonObject(object.spec) ? object.spec : {};
  return stringifyJson({ ...object, spec: { ...spec, datastoreReady: ready } });
}

/**
 * Locks the datastore, or unlocks it: while it is locked, agents and CNI plugins, Calico's too, change nothing in it.
 * A ClusterInformation is made if there is none.
 *
 * @returns Whether it was the other way round before.
 * @throws {UnusableError} If the ClusterInformation cannot be read.
 */
export async function setLock(
  store: Datastore,
  locked: boolean,
  randomUuid: () => string = () => crypto.randomUUID(),
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const entry = await store.get(CLUSTER_INFORMATION_KEY);
    if (isLocked(entry?.value) === locked) return false;
    const value = withReady(entry?.value ?? newClusterInformation(randomUuid), !locked);
    try {
      await store.transact({
        conditions: [unchanged(CLUSTER_INFORMATION_KEY, entry)],
        operations: [{ type: 'put', key: CLUSTER_INFORMATION_KEY, value }],
      });
      return true;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** That a key is still as it was read. */
export function unchanged(key: string, entry: Entry | undefined): Condition {
  return entry ? { type: 'revision', key, revision: entry.revision } : { type: 'absent', key };
}

function newClusterInformation(randomUuid: () => string): string {
  return stringifyJson({
    kind: 'ClusterInformation',
    apiVersion: 'projectcalico.org/v3',
    metadata: {
      name: 'default',
      uid: randomUuid(),
      creationTimestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    },
    // As Calico makes them: a UUID without dashes.
    spec: { clusterGUID: randomUuid().replaceAll('-', '') },
  });
}

function readyIn(clusterInformation: string): unknown {
  const { spec } = objectOf(clusterInformation);
  return isJsonObject(spec) ? spec.datastoreReady : undefined;
}

function objectOf(clusterInformation: string): { readonly [key: string]: unknown } {
  try {
    const object = parseJson(clusterInformation);
    if (isJsonObject(object)) return object;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new UnusableError(
    `${CLUSTER_INFORMATION_KEY} is no JSON object: it must be repaired first`,
  );
}
