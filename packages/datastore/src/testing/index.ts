export { describeDatastore } from './describe-datastore.ts';
export { EtcdProcess } from './etcd-process.ts';
export type { DatastoreHarness } from './harness.ts';
