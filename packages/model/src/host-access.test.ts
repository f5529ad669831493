import { expect, test } from 'vitest';
import { covers, hostAccess, type KeyAccess, keysWithPrefix } from './host-access.ts';
import { resourceKey } from './keys.ts';

const may = (grants: readonly KeyAccess[], access: 'read' | 'readwrite', key: string): boolean =>
  grants.some(
    (grant) => covers(grant, { from: key }) && (access === 'read' || grant.access === 'readwrite'),
  );
const endpointKey = (namespace: string, name: string) =>
  resourceKey('WorkloadEndpoint', { namespace, name });

test('a host writes what is its own, and reads what it needs of others', () => {
  const grants = hostAccess({ name: 'rack-1' });
  expect(may(grants, 'readwrite', resourceKey('Node', { name: 'rack-1' }))).toBe(true);
  expect(may(grants, 'read', resourceKey('Node', { name: 'rack-2' }))).toBe(true);
  expect(may(grants, 'readwrite', resourceKey('Node', { name: 'rack-2' }))).toBe(false);
  expect(may(grants, 'readwrite', resourceKey('Node', { name: 'rack-10' }))).toBe(false);
  expect(may(grants, 'readwrite', resourceKey('IPPool', { name: 'a' }))).toBe(false);
  expect(may(grants, 'read', '/registry/secrets/x')).toBe(false);
});

test('with namespaces named, endpoints of other hosts and namespaces are not its to write', () => {
  const grants = hostAccess({ name: 'a', namespaces: ['default', 'web'] });
  expect(may(grants, 'readwrite', endpointKey('web', 'a-cni-id-eth0'))).toBe(true);
  // Of host a-b.
  expect(may(grants, 'readwrite', endpointKey('web', 'a--b-cni-id-eth0'))).toBe(false);
  expect(may(grants, 'readwrite', endpointKey('other', 'a-cni-id-eth0'))).toBe(false);
  expect(may(grants, 'read', endpointKey('other', 'b-cni-id-eth0'))).toBe(true);
  const dashed = hostAccess({ name: 'a-b', namespaces: ['web'] });
  expect(may(dashed, 'readwrite', endpointKey('web', 'a--b-cni-id-eth0'))).toBe(true);
  expect(may(dashed, 'readwrite', endpointKey('web', 'a-cni-id-eth0'))).toBe(false);
});

test('a range covers what is in it and nothing else', () => {
  const range = keysWithPrefix('/a/');
  for (const inner of [{ from: '/a/' }, { from: '/a/b' }, range, { from: '/a/b', to: '/a/c' }]) {
    expect(covers(range, inner)).toBe(true);
  }
  for (const outer of [{ from: '/a' }, { from: '/a0' }, { from: '/a/', to: '/b' }]) {
    expect(covers(range, outer)).toBe(false);
  }
});

test('whoever repairs writes the claims and handles of others, and still not their Nodes', () => {
  const grants = hostAccess({ name: 'a', repairs: true });
  const claim = '/calico/ipam/v2/host/b/ipv4/block/10.65.0.0-26';
  expect(may(grants, 'readwrite', claim)).toBe(true);
  expect(may(hostAccess({ name: 'a' }), 'readwrite', claim)).toBe(false);
  expect(may(grants, 'readwrite', '/calico/ipam/v2/handle/k8s-pod-network.x')).toBe(true);
  expect(may(grants, 'readwrite', resourceKey('Node', { name: 'b' }))).toBe(false);
});
