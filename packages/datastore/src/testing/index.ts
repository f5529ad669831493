export { describeDatastore } from './describe-datastore.ts';
export { describeResources } from './describe-resources.ts';
export { EtcdCluster } from './etcd-cluster.ts';
export { EtcdProcess } from './etcd-process.ts';
export type { DatastoreHarness } from './harness.ts';
