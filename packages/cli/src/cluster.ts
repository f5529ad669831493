import { type CommandContext, FailureError } from './command.ts';
import { openClient } from './datastore/open-client.ts';

/** What a cluster says of itself; `null` where it does not say. */
export interface Cluster {
  readonly clusterGUID: string | null;
  /** Words by commas: `overland,bgp`, `k8s,bgp`. */
  readonly clusterType: string | null;
  /** Of the Calico that wrote it last; none if that was Overland. */
  readonly calicoVersion: string | null;
  /** False while an operator has locked the datastore. */
  readonly datastoreReady: boolean;
  /** The datastore, for messages. */
  readonly place: string;
}

/**
 * Reads the ClusterInformation.
 *
 * @param config The file of `--config`.
 * @throws {FailureError} If nobody has written to the datastore yet (exit code 3).
 */
export async function readCluster(
  context: CommandContext,
  config: string | undefined,
): Promise<Cluster> {
  await using open = await openClient(context, { config });
  const name = { name: 'default' };
  const found = await open.client.get('ClusterInformation', name);
  if (!found) {
    const { ResourceNotFoundError } = await import('@overland/datastore');
    const cause = new ResourceNotFoundError('ClusterInformation', name);
    const message = `there is no cluster in ${open.place} yet: the first 'overland apply', or the first agent, makes one`;
    throw new FailureError(message, { cause });
  }
  const { clusterGUID, clusterType, calicoVersion, datastoreReady = true } = found.spec;
  return {
    clusterGUID: clusterGUID ?? null,
    clusterType: clusterType ?? null,
    calicoVersion: calicoVersion ?? null,
    datastoreReady,
    place: open.place,
  };
}
