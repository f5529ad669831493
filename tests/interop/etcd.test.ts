import { openDatastore } from '@overland/datastore';
import { describeDatastore, EtcdProcess } from '@overland/datastore/testing';
import { afterAll, beforeAll } from 'vitest';

let etcd: EtcdProcess;

beforeAll(async () => {
  etcd = await EtcdProcess.start();
});
afterAll(() => etcd[Symbol.asyncDispose]());

describeDatastore('etcd', async () => {
  await etcd.clear();
  return {
    connect: () => openDatastore({ type: 'etcd', endpoints: [etcd.endpoint] }),
    async [Symbol.asyncDispose]() {},
  };
});
