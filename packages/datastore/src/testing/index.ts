export { describeDatastore } from './describe-datastore.ts';
export type { DatastoreHarness } from './harness.ts';
