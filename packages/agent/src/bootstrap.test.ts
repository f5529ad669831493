import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { MemoryDatastore, MemoryStore } from '@overland/datastore';
import { extensionKey, resourceKey } from '@overland/model';
import { parsePrefix } from '@overland/net';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createBootstrap, createDefaultPools, parseBootstrap } from './bootstrap.ts';
import { readDocuments } from './yaml-file.ts';

const LOG = pino({ level: 'silent' });

const PEER = `
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: { name: leaf11 }
spec: { peerIP: 10.1.0.0, asNumber: 65011, holdTime: 3s }
`;

async function file(content: string): Promise<string> {
  const directory = await mkdtemp(`${tmpdir()}/overland-`);
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(`${directory}/bootstrap.yaml`, content);
  return `${directory}/bootstrap.yaml`;
}

test('manifests are created once, our own fields under their own key', async () => {
  await using datastore = new MemoryDatastore(new MemoryStore());
  const manifests = parseBootstrap(await readDocuments(await file(`---${PEER}---\n`)), 'file');
  await createBootstrap(datastore, manifests, LOG);
  const key = resourceKey('BGPPeer', { name: 'leaf11' });
  const stored = await datastore.get(key);
  expect(stored?.value).not.toContain('holdTime');
  expect((await datastore.get(extensionKey('BGPPeer', { name: 'leaf11' })))?.value).toContain(
    'holdTime',
  );
  await createBootstrap(datastore, manifests, LOG);
  expect((await datastore.get(key))?.revision).toBe(stored?.revision);
});

test('no file is no manifests; a faulty one is refused with where and why', async () => {
  expect(await readDocuments('/nowhere/bootstrap.yaml')).toEqual([]);
  const broken = await file(`${PEER}---\n[}\n`);
  await expect(readDocuments(broken)).rejects.toThrow(/bootstrap\.yaml:\d+:\d+: /);
  const faulty = await readDocuments(await file(PEER.replace('asNumber: 65011', 'asNumber: -1')));
  expect(() => parseBootstrap(faulty, '/b.yaml')).toThrow(/^\/b\.yaml: .*asNumber/);
});

test('the pool of the settings is for a datastore without a pool of that family', async () => {
  await using datastore = new MemoryDatastore(new MemoryStore());
  const sizes = { ipv4PoolBlockSize: 28, ipv6PoolBlockSize: 122, ipv6PoolCidr: undefined };
  await createDefaultPools(datastore, { ...sizes, ipv4PoolCidr: parsePrefix('10.65.0.0/16') });
  await createDefaultPools(datastore, { ...sizes, ipv4PoolCidr: parsePrefix('10.66.0.0/16') });
  const pool = await datastore.get(resourceKey('IPPool', { name: 'default-ipv4-ippool' }));
  expect(JSON.parse(pool?.value ?? '')).toMatchObject({
    spec: { cidr: '10.65.0.0/16', blockSize: 28 },
  });
});
