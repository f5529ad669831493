import type { OpenClient } from '../datastore/open-client.ts';
import type { ReportedCluster } from './check-report.ts';

/** The cluster of a datastore, as a report names it. */
export async function reportedCluster({ client }: OpenClient): Promise<ReportedCluster> {
  const found = await client.get('ClusterInformation', { name: 'default' });
  const { clusterGUID = '', clusterType = '', datastoreReady = true } = found?.spec ?? {};
  return {
    clusterGUID,
    clusterType,
    datastoreLocked: !datastoreReady,
    clusterInformationRevision: found?.metadata.resourceVersion ?? '',
  };
}
