import { MemoryDatastore } from '@overland/datastore';
import { affinityPrefix, blockKey, blockPrefix, handleKey, resourceKey } from '@overland/model';
import { type IpAddress, parseAddress, parsePrefix } from '@overland/net';
import { beforeEach, expect, test } from 'vitest';
import { storeCalicoData } from '../../test/calico-data.ts';
import { frozenView, storePools } from '../../test/ipam-world.ts';
import { createIpam, type Ipam } from '../ipam.ts';
import { type Collector, createCollector } from './collector.ts';
import { type Finding, findingsOf } from './findings.ts';
import { takeSurvey } from './survey.ts';

const GRACE_SECONDS = 900;
let datastore: MemoryDatastore;
let clock: number;
let collector: Collector;

beforeEach(() => {
  datastore = new MemoryDatastore();
  clock = Date.parse('2026-11-24T06:00:00Z');
  collector = createCollector({ datastore, now, graceSeconds: GRACE_SECONDS });
});

function now(): Date {
  return new Date(clock);
}

/** Looks twice, the grace period apart. */
async function collectTwice(): Promise<string[]> {
  await collector.collect();
  clock += GRACE_SECONDS * 1000;
  return (await collector.collect()).repaired.map(lineOf).toSorted();
}

function lineOf(finding: Finding): string {
  if ('address' in finding) return `${finding.type} ${finding.address}`;
  if ('cidr' in finding) return `${finding.type} ${finding.cidr}`;
  return 'handle' in finding ? `${finding.type} ${finding.handle}` : finding.type;
}

async function findings(): Promise<string[]> {
  return findingsOf(await takeSurvey(datastore, now())).map(lineOf);
}

async function put(key: string, value: unknown): Promise<void> {
  const text = JSON.stringify(value);
  await datastore.transact({ conditions: [], operations: [{ type: 'put', key, value: text }] });
}

async function putNode(name: string): Promise<void> {
  const metadata = { name };
  const node = { apiVersion: 'projectcalico.org/v3', kind: 'Node', metadata, spec: {} };
  await put(resourceKey('Node', metadata), node);
}

async function remove(key: string): Promise<void> {
  await datastore.transact({ conditions: [], operations: [{ type: 'delete', key }] });
}

async function ipamOf(node: string): Promise<Ipam> {
  return createIpam({ datastore, node, view: await frozenView(node, datastore), now });
}

async function assign(ipam: Ipam, handle: string, node: string): Promise<IpAddress> {
  const { addresses } = await ipam.assign({ handle, families: ['ipv4'], attributes: { node } });
  return addresses[0] ?? expect.fail();
}

test('what Calico left behind is put right, and what is in use stays', async () => {
  await storeCalicoData(datastore);
  expect(await collectTwice()).toEqual([
    'abandoned-block 192.168.0.32/28',
    'cooled-block 192.168.0.0/28',
    'dangling-claim 192.168.0.16/28',
    'dangling-claim 192.168.0.48/28',
    'leaked-address 192.168.0.16',
    'leaked-handle k8s-pod-network.leaked',
    'miscounted-handle k8s-pod-network.web',
    'missing-handle k8s-pod-network.db',
    'poolless-block 172.16.0.0/28',
    'unclaimed-block 192.168.0.64/28',
  ]);
  // The block whose last address was released goes next.
  expect(await collectTwice()).toEqual(['abandoned-block 192.168.0.16/28']);
  expect(await collectTwice()).toEqual([]);

  // For an operator: nobody can know what Calico gave it for.
  expect(await findings()).toEqual(['not-in-use 192.168.0.2', 'not-in-use 192.168.0.64']);
  const ipam = await ipamOf('h1');
  expect(await ipam.blocksOf('h1')).toEqual(['192.168.0.0/28', '192.168.0.64/28']);
  expect((await ipam.allocations()).map(({ address }) => address)).toEqual([
    '192.168.0.1',
    '192.168.0.2',
    '192.168.0.64',
  ]);
  expect((await datastore.get(handleKey('k8s-pod-network.web')))?.value).toBe(
    '{"block":{"192.168.0.0/28":1},"deleted":false}',
  );
  const address = await assign(ipam, 'new', 'h1');
  expect(await ipam.release('k8s-pod-network.db')).toEqual([parseAddress('192.168.0.2')]);
  expect(await ipam.release('new')).toEqual([address]);
});

test('nothing is done at the first look, nor before the grace period is over', async () => {
  await storeCalicoData(datastore);
  expect((await collector.collect()).repaired).toEqual([]);
  clock += GRACE_SECONDS * 1000 - 1;
  expect((await collector.collect()).repaired).toEqual([]);
});

test('what changes between two looks waits anew', async () => {
  await storePools(datastore, { '10.65.0.0/24': 28 });
  await putNode('host11');
  const ipam = await ipamOf('host11');
  await assign(ipam, 'a', 'host11');
  await remove(resourceKey('Node', { name: 'host11' }));
  await collector.collect();
  clock += GRACE_SECONDS * 1000;
  await ipam.release('a');
  const address = await assign(ipam, 'a', 'host11');
  expect((await collector.collect()).released).toEqual([]);
  clock += GRACE_SECONDS * 1000;
  expect((await collector.collect()).released).toEqual([address]);
});

test('an address of a gone node stays while an endpoint has it, or its handle has one that stays', async () => {
  await storePools(datastore, { '10.65.0.0/24': 28 });
  const [gone, there] = [await ipamOf('gone'), await ipamOf('host12')];
  await putNode('host12');
  const used = await assign(gone, 'used', 'gone');
  await assign(gone, 'shared', 'gone');
  // The same handle, on a node that is there.
  const addresses = [parseAddress('10.65.0.250')];
  await there.assign({
    handle: 'shared',
    families: ['ipv4'],
    addresses,
    attributes: { node: 'host12' },
  });
  const metadata = { namespace: 'default', name: 'gone-cni-c1-eth0' };
  const spec = {
    orchestrator: 'cni',
    node: 'gone',
    containerID: 'c1',
    endpoint: 'eth0',
    ipNetworks: [`${used}/32`],
  };
  const kind = 'WorkloadEndpoint';
  await put(resourceKey(kind, metadata), {
    apiVersion: 'projectcalico.org/v3',
    kind,
    metadata,
    spec,
  });
  expect(await collectTwice()).toEqual([]);
});

test('a host keeps a block, and gives up empty ones that it does not need', async () => {
  await storePools(datastore, { '10.65.0.0/24': 28 });
  await putNode('host11');
  const ipam = await ipamOf('host11');
  const asked = { families: ['ipv4'] as const, attributes: { node: 'host11' } };
  await ipam.assign({ ...asked, handle: 'many', count: 60 });
  expect(await ipam.blocksOf('host11')).toHaveLength(4);
  expect(await collectTwice()).toEqual([]);
  await ipam.release('many');
  expect(await collectTwice()).toHaveLength(3);
  expect(await collectTwice()).toEqual([]);
  expect(await ipam.blocksOf('host11')).toHaveLength(1);
  expect(await assign(ipam, 'a', 'host11')).toBeDefined();
});

test('an empty block of a pool that no longer selects its host is given up', async () => {
  await storePools(datastore, { '10.65.0.0/24': 28 });
  await putNode('host11');
  await (await ipamOf('host11')).ensureBlock('ipv4');
  const spec = { cidr: '10.65.0.0/24', blockSize: 28, nodeSelector: "rack == '1'" };
  const metadata = { name: 'pool0' };
  const pool = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata, spec };
  await put(resourceKey('IPPool', metadata), pool);
  expect(await collectTwice()).toEqual([expect.stringContaining('idle-block')]);
});

test('a block that contradicts itself is named and left alone, and keeps nothing else from repair', async () => {
  await storeCalicoData(datastore);
  const broken = parsePrefix('192.168.0.0/28');
  await put(blockKey(broken), {
    cidr: broken,
    affinity: 'host:h1',
    allocations: Array(16).fill(7),
  });
  const before = await datastore.get(blockKey(broken));
  expect(await collectTwice()).toContain('leaked-address 192.168.0.16');
  expect(await findings()).toContain('unreadable');
  expect(await datastore.get(blockKey(broken))).toEqual(before);
  expect(await datastore.get(handleKey('k8s-pod-network.web'))).toBeDefined();
});

test('ownerless blocks go when their last address does', async () => {
  await storePools(datastore, { '10.65.0.0/28': 28 });
  const ipam = await ipamOf('gone');
  await assign(ipam, 'a', 'gone');
  const [block = expect.fail()] = (await datastore.list(blockPrefix())).entries;
  const [claim = expect.fail()] = (await datastore.list(affinityPrefix('host'))).entries;
  await remove(claim.key);
  await put(block.key, { ...JSON.parse(block.value), affinity: null });
  expect(await collectTwice()).toEqual([expect.stringContaining('leaked-address')]);
  expect(await collectTwice()).toEqual(['ownerless-block 10.65.0.0/28']);
  expect((await datastore.list('/calico/ipam/')).entries).toEqual([]);
});
