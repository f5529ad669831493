import { parseAddress } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { parseManifest } from '../manifest.ts';
import { ValidationError } from '../validation.ts';
import { convertCalicoV1 } from './convert.ts';
import { addressName, nodeName, policyName, resourceName } from './names.ts';

const hash = (text: string): string => `#${text}`;

function v1(kind: string, metadata: object, spec: object = {}): object {
  return { apiVersion: 'v1', kind, metadata, spec };
}

function faultsOf(manifest: unknown): string {
  try {
    convertCalicoV1(manifest, hash);
  } catch (error) {
    if (error instanceof ValidationError) return error.message;
    throw error;
  }
  return 'converted';
}

// Facts: libcalico-go/lib/upgrade/converters and its tests, in cases of our own.
describe('names', () => {
  test.each([
    ['web', 'web'],
    ['we--b', 'we--b'],
    ['Web', 'web-#Web'],
    ['a/b', 'a.b-#a/b'],
    ['a_b', 'a-b-#a_b'],
    ['a.-.b', 'a.b-#a.-.b'],
    ['-a.', 'a-#-a.'],
    ['$X/y-1.-2!', 'x.y-1.2-#$X/y-1.-2!'],
  ])('%s becomes %s', (before, after) => {
    expect(resourceName(before, hash)).toBe(after);
  });

  test('of nodes have no hash, of policies no dots, of addresses all groups', () => {
    expect(nodeName('Rack1/Host_1.')).toBe('rack1.host-1');
    expect(policyName('tier.web', hash)).toBe('tier-web-#tier.web');
    expect(policyName('web', hash)).toBe('web');
    expect(addressName(parseAddress('192.0.2.1'))).toBe('192-0-2-1');
    expect(addressName(parseAddress('aa:bb::50'))).toBe('00aa-00bb-0000-0000-0000-0000-0000-0050');
  });
});

test.each([
  [
    'ipPool',
    v1(
      'ipPool',
      { cidr: '10.1.0.0/16' },
      { 'nat-outgoing': true, ipip: { enabled: false, mode: 'always' } },
    ),
    {
      kind: 'IPPool',
      metadata: { name: '10-1-0-0-16' },
      spec: { cidr: '10.1.0.0/16', natOutgoing: true },
    },
  ],
  [
    'bgpPeer of all',
    v1('bgpPeer', { scope: 'global', peerIP: '192.0.2.1' }, { asNumber: '1.10' }),
    {
      kind: 'BGPPeer',
      metadata: { name: '192-0-2-1' },
      spec: { peerIP: '192.0.2.1', asNumber: 65546 },
    },
  ],
  [
    'bgpPeer of a node',
    v1('bgpPeer', { scope: 'node', node: 'Rack1', peerIP: 'fd00::1' }, { asNumber: 64512 }),
    {
      kind: 'BGPPeer',
      metadata: { name: 'rack1.fd00-0000-0000-0000-0000-0000-0000-0001' },
      spec: { node: 'rack1', peerIP: 'fd00::1', asNumber: 64512 },
    },
  ],
  [
    'node',
    v1('node', { name: 'h1' }, { bgp: { asNumber: 64512, ipv4Address: '10.0.0.1/31' } }),
    {
      kind: 'Node',
      metadata: { name: 'h1' },
      spec: { bgp: { asNumber: 64512, ipv4Address: '10.0.0.1/31' } },
    },
  ],
  [
    'hostEndpoint',
    v1(
      'hostEndpoint',
      { name: 'eth0', node: 'h1', labels: { role: 'db' } },
      {
        interfaceName: 'eth0',
        profiles: ['k8s_ns.web'],
        ports: [{ name: 'ssh', protocol: 'tcp', port: 22 }],
      },
    ),
    {
      kind: 'HostEndpoint',
      metadata: { name: 'h1.eth0', labels: { role: 'db' } },
      spec: {
        node: 'h1',
        interfaceName: 'eth0',
        profiles: ['kns.web'],
        ports: [{ name: 'ssh', protocol: 'TCP', port: 22 }],
      },
    },
  ],
  [
    'profile',
    v1(
      'profile',
      { name: 'p', tags: ['fe'], labels: { a: 'b' } },
      { egress: [{ action: 'allow' }] },
    ),
    {
      kind: 'Profile',
      metadata: { name: 'p' },
      spec: { labelsToApply: { fe: '', a: 'b' }, egress: [{ action: 'Allow' }] },
    },
  ],
  [
    'policy',
    v1(
      'policy',
      { name: 'allow.redis', annotations: { by: 'us' } },
      {
        order: 100,
        selector: "calico/k8s_ns == 'prod'",
        preDNAT: true,
        types: ['ingress'],
        ingress: [
          {
            action: 'next-tier',
            protocol: 'tcp',
            source: { tag: 'fe', selector: 'a == "b"', net: '10.0.0.9/24', nets: ['10.1.0.0/16'] },
            destination: { ports: [6379, '80:90'], notTag: 'x' },
          },
        ],
      },
    ),
    {
      kind: 'GlobalNetworkPolicy',
      metadata: { name: 'allow-redis-0a1b2c3d', annotations: { by: 'us' } },
      spec: {
        order: 100,
        selector: "projectcalico.org/namespace == 'prod'",
        preDNAT: true,
        applyOnForward: true,
        types: ['Ingress'],
        ingress: [
          {
            action: 'Pass',
            protocol: 'TCP',
            source: { nets: ['10.1.0.0/16', '10.0.0.0/24'], selector: '(a == "b") && fe == \'\'' },
            destination: { notSelector: "x == ''", ports: [6379, '80:90'] },
          },
        ],
      },
    },
  ],
  [
    'workloadEndpoint of Kubernetes',
    v1(
      'workloadEndpoint',
      {
        name: 'eth0',
        workload: 'shop.web-1',
        orchestrator: 'k8s',
        node: 'h1',
        activeInstanceID: 'c1',
        labels: { 'calico/k8s_ns': 'shop', app: 'web' },
      },
      {
        interfaceName: 'cali1',
        mac: 'ee:ee:ee:ee:ee:ee',
        profiles: ['k8s_ns.shop'],
        ipNetworks: ['10.1.0.5/32'],
      },
    ),
    {
      kind: 'WorkloadEndpoint',
      metadata: {
        name: 'h1-k8s-web--1-eth0',
        namespace: 'shop',
        labels: { app: 'web', 'projectcalico.org/namespace': 'shop' },
      },
      spec: {
        orchestrator: 'k8s',
        node: 'h1',
        endpoint: 'eth0',
        pod: 'web-1',
        containerID: 'c1',
        interfaceName: 'cali1',
        mac: 'ee:ee:ee:ee:ee:ee',
        ipNetworks: ['10.1.0.5/32'],
        profiles: ['kns.shop'],
      },
    },
  ],
])('%s', (_name, before, after) => {
  const manifest = convertCalicoV1(before, () => '0a1b2c3d');
  expect(manifest).toEqual({ apiVersion: 'projectcalico.org/v3', ...after });
  expect(() => parseManifest(manifest)).not.toThrow();
});

test.each([
  [
    'a tunnel',
    v1('ipPool', { cidr: '10.1.0.0/16' }, { ipip: { enabled: true } }),
    'spec.ipipMode must be Never',
  ],
  [
    'an unknown field',
    v1('policy', { name: 'p' }, { selektor: 'all()' }),
    'did you mean selector?',
  ],
  ['a pod', v1('Pod', { name: 'p' }), 'kind must be a kind of Calico v1 that can be converted'],
  ['a node of Kubernetes', v1('Node', { name: 'p' }), 'did you mean node?'],
  ['no object', 'text', 'kind must be a kind'],
  [
    'an unknown action',
    v1('profile', { name: 'p' }, { ingress: [{ action: 'perhaps' }] }),
    'spec.ingress[0].action must be allow, deny, log or pass',
  ],
  [
    'a missing node',
    v1('bgpPeer', { scope: 'node', peerIP: '10.0.0.1' }, { asNumber: 1 }),
    'metadata.node is required',
  ],
  [
    'a node too many',
    v1('bgpPeer', { scope: 'global', node: 'h', peerIP: '10.0.0.1' }, { asNumber: 1 }),
    'metadata.node must not be set',
  ],
  [
    'a tag and a label of one name',
    v1('profile', { name: 'p', tags: ['a'], labels: { a: 'b' } }),
    'metadata.tags[0] becomes a label',
  ],
  [
    'a workload without namespace',
    v1('workloadEndpoint', { name: 'e', workload: 'w', orchestrator: 'k8s', node: 'h' }),
    'must be NAMESPACE.POD',
  ],
  [
    'a policy that v3 refuses',
    v1('policy', { name: 'p' }, { doNotTrack: true, preDNAT: true }),
    'cannot become GlobalNetworkPolicy(p)',
  ],
])('%s is refused', (_name, manifest, message) => {
  expect(faultsOf(manifest)).toContain(message);
});
