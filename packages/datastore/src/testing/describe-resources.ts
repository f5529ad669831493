import {
  type AnyResource,
  extensionKey,
  isJsonObject,
  KINDS,
  type Kind,
  kindTable,
  parseJson,
  secretPaths,
  splitExtensions,
  stringifyJson,
} from '@overland/model';
import { sampleResources } from '@overland/model/testing';
import { describe, expect, test } from 'vitest';
import type { Datastore } from '../datastore.ts';
import { ResourceClient } from '../resources/resource-client.ts';
import type { ResourceChange } from '../resources/resource-watch.ts';
import type { Open } from './harness.ts';

const ROOT = '/calico/resources/v3/projectcalico.org/';

/** Names of kinds in Calico's keys, of those whose objects anybody may write. */
const PLURALS: Readonly<Partial<Record<Kind, string>>> = {
  Node: 'nodes',
  IPPool: 'ippools',
  IPReservation: 'ipreservations',
  BGPConfiguration: 'bgpconfigurations',
  BGPPeer: 'bgppeers',
  BGPFilter: 'bgpfilters',
  WorkloadEndpoint: 'workloadendpoints',
  HostEndpoint: 'hostendpoints',
  Tier: 'tiers',
  NetworkPolicy: 'networkpolicies',
  GlobalNetworkPolicy: 'globalnetworkpolicies',
  StagedNetworkPolicy: 'stagednetworkpolicies',
  StagedGlobalNetworkPolicy: 'stagedglobalnetworkpolicies',
  StagedKubernetesNetworkPolicy: 'stagedkubernetesnetworkpolicies',
  NetworkSet: 'networksets',
  GlobalNetworkSet: 'globalnetworksets',
  Profile: 'profiles',
  FelixConfiguration: 'felixconfigurations',
  KubeControllersConfiguration: 'kubecontrollersconfigurations',
  ClusterInformation: 'clusterinformations',
  CalicoNodeStatus: 'caliconodestatuses',
};

/** Policies whose name as it was typed stands in an annotation. */
const TIERED = /^(Staged)?(Global)?NetworkPolicy$/;

const SEQUENCE = 1_789_012_345_678_901_235n;

/** Kind, key and value as Calico has them, and the spec that is read. */
const IPAM_OBJECTS: readonly (readonly [Kind, string, string, object])[] = [
  [
    'BlockAffinity',
    '/calico/ipam/v2/host/h1/ipv4/block/10.65.0.0-30',
    '{"state":"pending","deleted":false}',
    { state: 'pending', node: 'h1', type: 'host', cidr: '10.65.0.0/30', deleted: false },
  ],
  [
    'BlockAffinity',
    '/calico/ipam/v2/virtual/lb/ipv6/block/fd00:65::-126',
    '',
    { state: 'confirmed', node: 'lb', type: 'virtual', cidr: 'fd00:65::/126', deleted: false },
  ],
  [
    'IPAMBlock',
    '/calico/ipam/v2/assignment/ipv4/block/10.65.0.0-30',
    `{"cidr":"10.65.0.0/30","affinity":"host:h1","allocations":[null,0,null,null],"unallocated":[0,2,3],"attributes":[{"handle_id":"a","secondary":{"node":"h1"}}],"sequenceNumber":${SEQUENCE},"sequenceNumberForAllocation":{"1":${SEQUENCE}},"deleted":false}`,
    {
      cidr: '10.65.0.0/30',
      affinity: 'host:h1',
      allocations: [null, 0, null, null],
      unallocated: [0, 2, 3],
      attributes: [{ handle_id: 'a', secondary: { node: 'h1' } }],
      sequenceNumber: SEQUENCE,
      sequenceNumberForAllocation: { 1: SEQUENCE },
      strictAffinity: false,
      deleted: false,
    },
  ],
  [
    'IPAMHandle',
    '/calico/ipam/v2/handle/net.c1%2fa',
    '{"block":{"10.65.0.0/30":2},"deleted":false}',
    { handleID: 'net.c1/a', block: { '10.65.0.0/30': 2 }, deleted: false },
  ],
];

/** Every kind with every field, through one adapter: written, read back, and laid out as Calico does. */
export function describeResources(name: string, open: Open): void {
  describe(`${name} with resources`, () => {
    test('there is a test for every kind that can be written', () => {
      const written = Object.values(KINDS).filter(({ storage }) => storage === 'resource');
      expect(Object.keys(PLURALS).toSorted()).toEqual(written.map(({ kind }) => kind).toSorted());
    });

    test.each(Object.keys(PLURALS) as Kind[])(
      '%s: what is written is laid out as Calico does it, and read back equal',
      async (kind) => {
        for await (const sample of created(open, kind)) {
          await checkLayout(kind, sample);
          await checkRoundTrip(kind, sample);
        }
      },
    );

    test.each(IPAM_OBJECTS)(
      '%s: what Calico lays out is read, integers exact',
      (kind, key, value, spec) => readIpam(open, { kind, key, value, spec }),
    );

    test('IPAMConfiguration is written where the allocator of Calico reads it', () =>
      writeIpamConfiguration(open));

    test('a rewrite by a tool that knows no field of ours loses none', () => rewrite(open));
  });
}

interface Sample {
  readonly store: Datastore;
  readonly client: ResourceClient;
  /** As it was to be created, and as it was. */
  readonly given: AnyResource;
  readonly made: AnyResource;
}

/** Creates each sample, one after the other; whoever takes it removes it. */
async function* created(open: Open, kind: Kind): AsyncGenerator<Sample> {
  await using harness = await open();
  await using store = await harness.connect();
  const client = new ResourceClient(store);
  for (const given of sampleResources(kind)) {
    if ('tier' in given.spec && given.spec.tier !== 'default') {
      const tier = { ...sampleResources('Tier')[0], metadata: { name: given.spec.tier } };
      await client.apply(tier as AnyResource);
    }
    if (!store.isPrivate && secretPaths(given).length > 0) {
      await expect(client.create(given)).rejects.toThrow('etcd without TLS');
      continue;
    }
    yield { store, client, given, made: await client.create(given) };
  }
}

async function checkRoundTrip(kind: Kind, { client, given, made }: Sample): Promise<void> {
  const { metadata } = made;
  expect(await client.get(kind, metadata)).toEqual(made);
  expect((await client.list(kind)).resources).toContainEqual(made);
  expect(await watched(client, made)).toEqual(made);
  expect((await client.apply(given)).outcome).toBe('unchanged');
  const labels = { ...metadata.labels, changed: 'yes' };
  const updated = await client.update({ ...made, metadata: { ...metadata, labels } });
  const { resourceVersion } = updated.metadata;
  expect(updated).toEqual({ ...made, metadata: { ...metadata, labels, resourceVersion } });
  expect(await client.get(kind, metadata)).toEqual(updated);
  expect(await client.delete(kind, metadata)).toEqual(updated);
  expect(await client.get(kind, metadata)).toBeUndefined();
}

async function watched(client: ResourceClient, made: AnyResource): Promise<unknown> {
  const stop = new AbortController();
  const found: ResourceChange<Kind>[] = [];
  for await (const change of client.watch(made.kind, stop.signal)) {
    if (change.type === 'synced') break;
    found.push(change);
  }
  stop.abort();
  const { name } = made.metadata;
  const change = found.find((each) => each.type === 'put' && each.name.name === name);
  return change?.type === 'put' ? change.resource : undefined;
}

async function checkLayout(kind: Kind, { store, given, made }: Sample): Promise<void> {
  const { name, namespace } = made.metadata;
  const key = `${ROOT}${PLURALS[kind]}/${namespace ? `${namespace}/` : ''}${name}`;
  const { resourceVersion, ...metadata } = made.metadata;
  const annotations = { 'projectcalico.org/metadata': JSON.stringify({ name }) };
  const { base, extension } = splitExtensions(kind, { ...given, metadata });
  expect(await jsonAt(store, key)).toEqual({
    ...(base as object),
    metadata: { ...metadata, ...(TIERED.test(kind) && { annotations }) },
  });
  expect((await store.get(key))?.revision).toBe(resourceVersion);
  expect(await jsonAt(store, extensionKey(kind, made.metadata))).toEqual(extension);
}

interface IpamObject {
  readonly kind: Kind;
  readonly key: string;
  readonly value: string;
  readonly spec: object;
}

async function readIpam(open: Open, { kind, key, value, spec }: IpamObject): Promise<void> {
  await using harness = await open();
  await using store = await harness.connect();
  await store.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
  const { resources, invalid } = await new ResourceClient(store).list(kind);
  expect(invalid).toEqual([]);
  expect(resources.map((resource) => resource.spec)).toEqual([spec]);
  expect((await store.get(key))?.value).toBe(value);
}

async function writeIpamConfiguration(open: Open): Promise<void> {
  await using harness = await open();
  await using store = await harness.connect();
  const client = new ResourceClient(store);
  const [given] = sampleResources('IPAMConfiguration');
  if (!given) throw new Error('there is a sample of every kind');
  await client.create(given);
  expect(await jsonAt(store, '/calico/ipam/v2/config')).toEqual({
    strict_affinity: true,
    maxBlocksPerHost: 1_000_000,
    kubeVirtVMAddressPersistence: 'Disabled',
    ipCooldownSeconds: 1200,
  });
  expect((await client.get('IPAMConfiguration', given.metadata))?.spec).toEqual(given.spec);
}

/** What calicoctl does: read, change, write all that it knows, with metadata of its own. */
async function rewrite(open: Open): Promise<void> {
  const kinds = (Object.keys(PLURALS) as Kind[]).filter(
    (kind) => kindTable(kind).extensions.length > 0,
  );
  expect(kinds).not.toEqual([]);
  for (const kind of kinds) {
    for await (const { store, client, made } of created(open, kind)) {
      const { name } = made.metadata;
      const key = `${ROOT}${PLURALS[kind]}/${name}`;
      const before = await jsonAt(store, key);
      if (!isJsonObject(before) || !isJsonObject(before.metadata)) throw new Error('it was made');
      const metadata = { ...before.metadata, annotations: { by: 'calicoctl' }, generation: 2 };
      const value = stringifyJson({ ...before, metadata });
      await store.transact({ conditions: [], operations: [{ type: 'put', key, value }] });
      const read = await client.get(kind, { name });
      expect(read?.spec).toEqual(made.spec);
      expect(read?.metadata.annotations).toEqual({ by: 'calicoctl' });
      await client.update({ ...read, spec: made.spec } as AnyResource);
      expect((await client.get(kind, { name }))?.spec).toEqual(made.spec);
      await client.delete(kind, { name });
    }
  }
}

async function jsonAt(store: Datastore, key: string): Promise<unknown> {
  const entry = await store.get(key);
  return entry && parseJson(entry.value);
}
