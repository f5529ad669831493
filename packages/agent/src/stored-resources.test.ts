import { affinityKey, blockKey, extensionKey, IPAM_CONFIG_KEY, resourceKey } from '@overland/model';
import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { StoredResourceReader } from './stored-resources.ts';
import { watchedPrefixes } from './watched-prefixes.ts';

const PEER = resourceKey('BGPPeer', { name: 'leaf11' });

function stored(kind: string, name: string, spec: object): string {
  return JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata: { name }, spec });
}

const ENTRIES = new Map([
  [resourceKey('Node', { name: 'host11' }), stored('Node', 'host11', { bgp: { asNumber: 65101 } })],
  [PEER, stored('BGPPeer', 'leaf11', { peerIP: '10.1.0.0', asNumber: 65011 })],
  [extensionKey('BGPPeer', { name: 'leaf11' }), '{"uid":"","spec":{"holdTime":"3s"}}'],
  [
    affinityKey({ type: 'host', name: 'host11' }, parsePrefix('10.65.0.0/26')),
    '{"state":"confirmed"}',
  ],
  [
    affinityKey({ type: 'host', name: 'host11' }, parsePrefix('10.65.0.64/26')),
    '{"state":"pending"}',
  ],
  ['/calico/other', 'anything'],
]);

test('entries become resources with our fields joined in, and blocks with their state', () => {
  const resources = new StoredResourceReader().read(ENTRIES);
  expect(resources.all('Node').map(({ spec }) => spec.bgp?.asNumber)).toEqual([65101]);
  expect(resources.all('BGPPeer')).toHaveLength(1);
  expect(resources.all('BGPPeer')[0]?.spec.holdTime).toBeDefined();
  expect(resources.all('IPPool')).toEqual([]);
  expect(resources.blocks).toEqual([
    { cidr: '10.65.0.0/26', confirmed: true },
    { cidr: '10.65.0.64/26', confirmed: false },
  ]);
  expect(resources.unreadable).toEqual([]);
});

test('what cannot be read is named and left out; the rest stands', () => {
  const entries = new Map(ENTRIES)
    .set(PEER, stored('BGPPeer', 'leaf11', { peerIP: '10.1.0.0', asNumber: -1 }))
    .set(resourceKey('IPPool', { name: 'p' }), '{');
  const { unreadable, all } = new StoredResourceReader().read(entries);
  expect(unreadable.map(({ key }) => key)).toEqual([PEER, resourceKey('IPPool', { name: 'p' })]);
  expect(all('BGPPeer')).toEqual([]);
  expect(all('Node')).toHaveLength(1);
});

test('an object is decoded again only when its text or its extension fields change', () => {
  const reader = new StoredResourceReader();
  const before = reader.read(ENTRIES).all('BGPPeer')[0];
  expect(reader.read(new Map(ENTRIES)).all('BGPPeer')[0]).toBe(before);
  const entries = new Map(ENTRIES).set(
    extensionKey('BGPPeer', { name: 'leaf11' }),
    '{"holdTime":"9s"}',
  );
  expect(reader.read(entries).all('BGPPeer')[0]).not.toBe(before);
});

test("only this host's endpoints are of interest, dashes in names or not", () => {
  const watched = watchedPrefixes('host-1').find(({ accept }) => accept);
  const key = (name: string) => resourceKey('WorkloadEndpoint', { namespace: 'default', name });
  expect(watched?.accept?.(key('host--1-cni-web-eth0'))).toBe(true);
  expect(watched?.accept?.(key('host-cni-web-eth0'))).toBe(false);
});

test('a policy that an older version of Calico stored is read under the name that people gave it', () => {
  const key = resourceKey('NetworkPolicy', { namespace: 'prod', name: 'default.web' });
  const value = JSON.stringify({
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: {
      name: 'default.web',
      namespace: 'prod',
      annotations: { 'projectcalico.org/metadata': '{"name":"web"}' },
    },
    spec: {},
  });
  const [policy] = new StoredResourceReader().read(new Map([[key, value]])).all('NetworkPolicy');
  expect(policy?.metadata).toEqual({ name: 'web', namespace: 'prod' });
});

test('who holds which address of own blocks, and how addresses are managed', () => {
  const cidr = parsePrefix('10.65.0.0/30');
  const block = {
    cidr,
    affinity: 'host:host11',
    allocations: [null, 0, null, null],
    unallocated: [0, 2, 3],
    attributes: [{ handle_id: 'h', secondary: { node: 'host12' } }],
  };
  const read = (config: string) =>
    new StoredResourceReader().read(
      new Map([
        [blockKey(cidr), JSON.stringify(block)],
        [IPAM_CONFIG_KEY, config],
      ]),
    );
  const { allocations, ipamConfig } = read('{"strict_affinity":true}');
  expect(allocations.map((each) => each.attributes[0]?.secondary)).toEqual([{ node: 'host12' }]);
  expect(ipamConfig.strictAffinity).toBe(true);
  expect(new StoredResourceReader().read(new Map()).ipamConfig.strictAffinity).toBe(false);
  const broken = read('{');
  expect(broken.unreadable.map(({ key }) => key)).toEqual([IPAM_CONFIG_KEY]);
});
