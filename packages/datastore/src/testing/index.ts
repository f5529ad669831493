export { describeDatastore } from './describe-datastore.ts';
export { EtcdCluster } from './etcd-cluster.ts';
export { EtcdProcess } from './etcd-process.ts';
export type { DatastoreHarness } from './harness.ts';
