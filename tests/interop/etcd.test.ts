import { openDatastore } from '@overland/datastore';
import {
  type DatastoreHarness,
  describeDatastore,
  describeResources,
  EtcdProcess,
} from '@overland/datastore/testing';
import { afterAll, beforeAll } from 'vitest';

let etcd: EtcdProcess;

beforeAll(async () => {
  etcd = await EtcdProcess.start();
});
afterAll(() => etcd[Symbol.asyncDispose]());

async function open(): Promise<DatastoreHarness> {
  await etcd.clear();
  return {
    connect: () => openDatastore({ type: 'etcd', endpoints: [etcd.endpoint] }),
    async [Symbol.asyncDispose]() {},
  };
}

describeDatastore('etcd', open);
// Without TLS: passwords must be refused.
describeResources('etcd', open);
