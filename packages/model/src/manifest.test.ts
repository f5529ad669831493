import { describe, expect, test } from 'vitest';
import { parseManifest } from './manifest.ts';
import { ValidationError } from './validation.ts';

function manifest(kind: string, spec: unknown, metadata: unknown = { name: 'x' }): unknown {
  return { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
}

/** What is wrong with a manifest, a line each. */
function faultsOf(value: unknown): string[] {
  try {
    parseManifest(value);
  } catch (error) {
    if (error instanceof ValidationError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('a good manifest', () => {
  test('IPPool: defaults are filled in, by family', () => {
    expect(parseManifest(manifest('IPPool', { cidr: '10.65.0.0/16' })).spec).toEqual({
      cidr: '10.65.0.0/16',
      blockSize: 26,
      ipipMode: 'Never',
      vxlanMode: 'Never',
      natOutgoing: false,
      disabled: false,
      disableBGPExport: false,
      nodeSelector: 'all()',
      allowedUses: ['Workload', 'Tunnel'],
      assignmentMode: 'Automatic',
    });
    const ipv6 = parseManifest(manifest('IPPool', { cidr: 'FD00:65:0::/48' }));
    expect(ipv6.spec).toMatchObject({ cidr: 'fd00:65::/48', blockSize: 122 });
  });

  test.each([64512, '64512', '0.64512'])('AS number %j is the number 64512', (asNumber) => {
    const peer = parseManifest(manifest('BGPPeer', { peerIP: '10.0.0.1', asNumber }));
    expect(peer.spec).toMatchObject({ asNumber: 64512, sourceAddress: 'UseNodeIP' });
  });

  test('BGPPeer takes the fields that Calico lacks', () => {
    const spec = { peerIP: '[2001:db8::1]:1790', asNumber: 1, holdTime: '3s', passive: true };
    expect(parseManifest(manifest('BGPPeer', spec)).spec).toMatchObject(spec);
  });

  test('null is absent, and a kind without required fields needs no spec', () => {
    const node = parseManifest({
      apiVersion: 'projectcalico.org/v3',
      kind: 'Node',
      metadata: { name: 'n', labels: null },
      spec: null,
    });
    expect(node.spec).toEqual({});
    expect(
      parseManifest(manifest('Node', { bgp: { asNumber: null, ipv4Address: '10.0.0.1/31' } })).spec,
    ).toEqual({
      bgp: { ipv4Address: '10.0.0.1/31' },
    });
  });

  test('WorkloadEndpoint: namespace and labels are filled in', () => {
    const spec = { orchestrator: 'cni', node: 'host-1', containerID: 'c1', endpoint: 'eth0' };
    const endpoint = parseManifest(
      manifest('WorkloadEndpoint', spec, { name: 'host--1-cni-c1-eth0' }),
    );
    expect(endpoint.metadata).toMatchObject({
      namespace: 'default',
      labels: { 'projectcalico.org/namespace': 'default', 'projectcalico.org/orchestrator': 'cni' },
    });
  });
});

describe('a bad manifest', () => {
  test('everything wrong is said at once, with the nearest known field', () => {
    const value = manifest(
      'IPPool',
      { cidr: '10.65.0.1/16', blocksize: 26, nodeSelector: 'rack = 1', natOutgoing: 'yes' },
      { name: 'x', lables: {} },
    );
    expect(faultsOf(value)).toEqual([
      'IPPool(x): metadata.lables is not a known field; did you mean labels?',
      'IPPool(x): spec.blocksize is not a known field; did you mean blockSize?',
      'IPPool(x): spec.cidr must be a prefix: no bits set past the length, as in 10.65.0.0/16, not "10.65.0.1/16"',
      'IPPool(x): spec.natOutgoing must be a boolean, not "yes"',
      'IPPool(x): spec.nodeSelector must be a selector: no "=" at column 6, not "rack = 1"',
    ]);
  });

  test('a field that cannot be read hides nothing that does not depend on it', () => {
    const pool = { cidr: '10.65.0.0/16', natOutgoing: 'yes', vxlanMode: 'Always' };
    expect(faultsOf(manifest('IPPool', pool, { name: 'Rack_1', labels: { 'a b': 'c' } }))).toEqual([
      'IPPool(Rack_1): spec.natOutgoing must be a boolean, not "yes"',
      expect.stringContaining('metadata.name must be lower-case'),
      expect.stringContaining('metadata.labels["a b"] must have a key'),
      expect.stringContaining('spec.vxlanMode must be Never'),
    ]);
    const ingress = [
      { action: 'Allow', protocol: 'tcp', destination: { ports: [80] } },
      { action: 'Allow', destination: { ports: [80] } },
      'rule',
    ];
    expect(faultsOf(manifest('NetworkPolicy', { ingress, tier: 'a.b' }))).toEqual([
      expect.stringContaining('spec.ingress[0].protocol must be TCP'),
      expect.stringContaining('spec.ingress[2] must be an object'),
      expect.stringContaining('spec.tier must be lower-case'),
      expect.stringContaining('spec.ingress[1].destination.ports must come with'),
    ]);
    const secret = {
      peerIP: 'x',
      password: { value: 'secret', secretKeyRef: { name: 'a', key: 'b' } },
    };
    expect(faultsOf(manifest('BGPPeer', secret)).join()).not.toContain('"secret"');
  });

  test.each([
    [manifest('IPPool', {}), 'spec.cidr is required'],
    [manifest('IPPool', undefined), 'spec.cidr is required'],
    [manifest('IPPool', { cidr: '10.0.0.0/16', blockSize: 33 }), 'spec.blockSize must be 20 to 32'],
    [manifest('IPPool', { cidr: '10.0.0.0/28' }), 'spec.cidr must hold at least one block'],
    [manifest('IPPool', { cidr: '169.254.0.0/16' }), 'link-local'],
    [manifest('IPPool', { cidr: '10.0.0.0/16', ipipMode: 'Always' }), 'does not encapsulate'],
    [manifest('IPPool', { cidr: '10.0.0.0/16', ipipMode: 'always' }), 'must be Never or Always or'],
    [
      manifest('IPPool', { cidr: '10.0.0.0/16' }, { name: 'Rack_1' }),
      'metadata.name must be lower',
    ],
    [manifest('IPPool', { cidr: '10.0.0.0/16' }, { name: 'x', namespace: 'y' }), 'no namespace'],
    [manifest('IPPool', { cidr: '10.0.0.0/16' }, {}), 'metadata.name is required'],
    [manifest('BGPPeer', { asNumber: 4294967296 }), 'spec.asNumber must be an AS number'],
    [manifest('BGPPeer', { asNumber: true }), 'spec.asNumber must be a number, or a string'],
    [manifest('BGPPeer', { node: 'a', nodeSelector: 'all()' }), 'together with spec.node'],
    [
      manifest('BGPPeer', { peerIP: '10.0.0.1', peerSelector: 'all()' }),
      'together with spec.peerIP',
    ],
    [manifest('BGPPeer', { peerSelector: 'all()', asNumber: 1 }), 'each selected node has its own'],
    [manifest('BGPPeer', { peerIP: '10.0.0.1:70000' }), 'a port from 1 to 65535'],
    [manifest('BGPPeer', { peerIP: '10.0.0.1', reachableBy: 'fe80::1' }), 'of the same family'],
    [manifest('BGPPeer', { keepaliveTime: '3' }), 'spec.keepaliveTime must be a duration'],
    [manifest('BGPConfiguration', { listenPort: 0 }), 'spec.listenPort must be at least 1'],
    [
      manifest('BGPConfiguration', { communities: [{ name: 'a', value: '1:2' }] }),
      'must come with',
    ],
    [
      manifest('BGPConfiguration', {
        prefixAdvertisements: [{ cidr: '10.0.0.0/8', communities: ['1:2', 'x'] }],
      }),
      'spec.prefixAdvertisements[0].communities[1] must be a community, or a name',
    ],
    [manifest('BGPConfiguration', { ignoredInterfaces: ['*'] }), 'must be an interface name'],
    [manifest('Node', { bgp: {} }), 'spec.bgp must hold at least one field'],
    [
      manifest('Node', { bgp: { ipv4Address: 'fe80::1/64' } }),
      'spec.bgp.ipv4Address must be an IPv4',
    ],
    [
      manifest('Node', {}, { name: 'x', labels: { 'a b': 'c' } }),
      'metadata.labels["a b"] must have a key',
    ],
    [manifest('IPAMConfiguration', {}), 'metadata.name must be default'],
    [
      manifest('IPAMConfiguration', { autoAllocateBlocks: false }, { name: 'default' }),
      'must be true unless spec.strictAffinity is',
    ],
    [
      manifest('WorkloadEndpoint', {
        orchestrator: 'cni',
        node: 'n',
        endpoint: 'eth0',
        containerID: 'c',
      }),
      'metadata.name must be made of',
    ],
    [manifest('IpPool', {}), 'kind must be a known kind; did you mean IPPool?'],
    [manifest('Deployment', {}), 'kind must be a known kind, not "Deployment"'],
    [{ kind: 'IPPool' }, 'apiVersion must be projectcalico.org/v3'],
    [[], 'the document must be an object'],
    [null, 'the document must be an object, not null'],
  ])('%j: %s', (value, wanted) => {
    expect(faultsOf(value).join('\n')).toContain(wanted);
  });
});
