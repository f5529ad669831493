import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatastore } from '@overland/datastore';
import {
  type DatastoreHarness,
  describeDatastore,
  describeResources,
  EtcdProcess,
} from '@overland/datastore/testing';
import { afterAll, beforeAll } from 'vitest';
import { selfSigned } from './support/self-signed.ts';

let etcd: EtcdProcess;
let tls: EtcdProcess;
let directory: string;
let certificate: Awaited<ReturnType<typeof selfSigned>>;

beforeAll(async () => {
  etcd = await EtcdProcess.start();
  directory = await mkdtemp(join(tmpdir(), 'overland-etcd-'));
  certificate = await selfSigned(directory, 'server');
  tls = await EtcdProcess.start({
    scheme: 'https',
    args: ['--cert-file', certificate.cert, '--key-file', certificate.key],
    ctlArgs: ['--cacert', certificate.cert],
  });
});
afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
  await tls[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function open(): Promise<DatastoreHarness> {
  await etcd.clear();
  return {
    connect: () => openDatastore({ type: 'etcd', endpoints: [etcd.endpoint] }),
    async [Symbol.asyncDispose]() {},
  };
}

async function openOverTls(): Promise<DatastoreHarness> {
  await tls.clear();
  return {
    connect: () =>
      openDatastore({ type: 'etcd', endpoints: [tls.endpoint], caCertFile: certificate.cert }),
    async [Symbol.asyncDispose]() {},
  };
}

describeDatastore('etcd', open);
// Without TLS passwords must be refused, with it they must come back.
describeResources('etcd', open);
describeResources('etcd over TLS', openOverTls);
