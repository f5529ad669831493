import {
  type AnyResource,
  API_VERSION,
  BUILT_IN_TIERS,
  parseManifest,
  resourceKey,
} from '@overland/model';
import type { Datastore } from '../datastore.ts';
import { AccessDeniedError } from '../errors.ts';
import { isLocked } from '../transfer/lock.ts';
import { ResourceClient, type ResourceClientOptions } from './resource-client.ts';
import { ResourceExistsError } from './resource-errors.ts';

/** Words that describe a cluster, in ClusterInformation. */
const CLUSTER_TYPE = 'overland,bgp';

/**
 * Makes what every cluster has, each part in one transaction and only if it is absent: the built-in tiers and, last,
 * the ClusterInformation, with an id of its own. `calicoVersion` is left out: calicoctl refuses to work with a
 * cluster of another version than its own, and takes any that does not say.
 *
 * Leaves a locked datastore alone, and what this client may not write: somebody who may will do it.
 *
 * @returns What was made, as `Tier(default)`.
 * @throws {UnavailableError} If the datastore cannot be reached.
 */
export async function initialiseCluster(
  store: Datastore,
  { randomUuid = () => crypto.randomUUID(), ...options }: ResourceClientOptions = {},
): Promise<readonly string[]> {
  const wanted = [...builtInTiers(), clusterInformation(randomUuid)];
  const client = new ResourceClient(store, { randomUuid, ...options });
  try {
    const keys = wanted.map(({ kind, metadata }) => resourceKey(kind, metadata));
    const entries = await Promise.all(keys.map((key) => store.get(key)));
    if (isLocked(entries.at(-1)?.value)) return [];
    const missing = wanted.filter((_resource, i) => !entries[i]);
    const made: string[] = [];
    for (const resource of missing) {
      if (await createIfAbsent(client, resource)) {
        made.push(`${resource.kind}(${resource.metadata.name})`);
      }
    }
    return made;
  } catch (error) {
    if (error instanceof AccessDeniedError) return [];
    throw error;
  }
}

function builtInTiers(): AnyResource[] {
  return Object.entries(BUILT_IN_TIERS).map(([name, spec]) =>
    parseManifest({ apiVersion: API_VERSION, kind: 'Tier', metadata: { name }, spec }),
  );
}

function clusterInformation(randomUuid: () => string): AnyResource {
  return parseManifest({
    apiVersion: API_VERSION,
    kind: 'ClusterInformation',
    metadata: { name: 'default' },
    spec: {
      // As Calico makes them: a UUID without dashes.
      clusterGUID: randomUuid().replaceAll('-', ''),
      clusterType: CLUSTER_TYPE,
      datastoreReady: true,
    },
  });
}

async function createIfAbsent(client: ResourceClient, resource: AnyResource): Promise<boolean> {
  try {
    await client.create(resource);
    return true;
  } catch (error) {
    if (error instanceof ResourceExistsError) return false;
    throw error;
  }
}
