import { parsePrefix } from '@overland/net';
import { describe, expect, test } from 'vitest';
import {
  affinityKey,
  blockKey,
  handleKey,
  parseAffinityKey,
  parseBlockKey,
  parseHandleKey,
  parseResourceKey,
  resourceKey,
  resourcePrefix,
} from './keys.ts';
import { agentKey, extensionKey, hostClaimKey, parseAgentKey } from './overland-keys.ts';

const IPV4 = parsePrefix('10.0.0.0/26');
const IPV6 = parsePrefix('fd00:65::40/122');

describe("Calico's etcd layout", () => {
  test.each([
    [
      resourceKey('Node', { name: 'leaf1-h3' }),
      '/calico/resources/v3/projectcalico.org/nodes/leaf1-h3',
    ],
    [
      resourceKey('WorkloadEndpoint', { namespace: 'default', name: 'n-cni-c-eth0' }),
      '/calico/resources/v3/projectcalico.org/workloadendpoints/default/n-cni-c-eth0',
    ],
    [resourcePrefix('IPPool'), '/calico/resources/v3/projectcalico.org/ippools/'],
    [blockKey(IPV4), '/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26'],
    [blockKey(IPV6), '/calico/ipam/v2/assignment/ipv6/block/fd00:65::40-122'],
    [
      affinityKey({ type: 'host', name: 'h1' }, IPV4),
      '/calico/ipam/v2/host/h1/ipv4/block/10.0.0.0-26',
    ],
    [
      affinityKey({ type: 'virtual', name: 'load-balancer' }, IPV6),
      '/calico/ipam/v2/virtual/load-balancer/ipv6/block/fd00:65::40-122',
    ],
    [handleKey('k8s-pod-network.abc\r\nrest'), '/calico/ipam/v2/handle/k8s-pod-network.abc'],
    [extensionKey('BGPPeer', { name: 'p' }), '/overland/v1/extensions/bgppeers/p'],
    [agentKey('h1'), '/overland/v1/agents/h1'],
    [hostClaimKey('h1'), '/overland/v1/hosts/h1'],
  ])('%s', (key, wanted) => {
    expect(key).toBe(wanted);
  });

  test('keys are parsed back', () => {
    const owner = { type: 'host', name: 'h/1%' } as const;
    expect(parseAffinityKey(affinityKey(owner, IPV6))).toEqual({ owner, cidr: IPV6 });
    expect(parseBlockKey(blockKey(IPV6))).toBe(IPV6);
    expect(parseHandleKey(handleKey('net.a/b'))).toBe('net.a/b');
    expect(parseAgentKey(agentKey('h1'))).toBe('h1');
    for (const name of [{ name: 'x' }, { namespace: 'ns', name: 'x' }]) {
      const kind = name.namespace ? 'WorkloadEndpoint' : 'BGPPeer';
      expect(parseResourceKey(resourceKey(kind, name))).toEqual({ kind, name });
    }
  });

  test.each([
    '/calico/ipam/v2/host/h1',
    '/calico/ipam/v2/host/h1/ipv4/block/x',
    '/calico/resources/v3/projectcalico.org/nodes/a/b',
    '/calico/resources/v3/projectcalico.org/workloadendpoints/a',
    '/calico/resources/v3/projectcalico.org/unheardof/a',
    '/overland/v1/agents/',
    '',
  ])('%j is none of them', (key) => {
    expect(parseAffinityKey(key)).toBeUndefined();
    expect(parseBlockKey(key)).toBeUndefined();
    expect(parseHandleKey(key)).toBeUndefined();
    expect(parseResourceKey(key)).toBeUndefined();
    expect(parseAgentKey(key)).toBeUndefined();
  });

  test('a namespaced kind without a namespace has no key', () => {
    expect(() => resourceKey('WorkloadEndpoint', { name: 'x' })).toThrow(RangeError);
  });
});
