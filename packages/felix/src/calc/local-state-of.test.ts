import {
  API_VERSION,
  type Node,
  parseManifest,
  readResource,
  type WorkloadEndpoint,
} from '@overland/model';
import { parsePrefix } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LocalInputs, localStateOf } from './local-state-of.ts';

/** As stored: whoever wrote it may not have kept to the rules for names. */
function endpoint(
  containerID: string,
  spec: { readonly node?: string; readonly interfaceName: string; readonly ipNetworks: string[] },
): WorkloadEndpoint {
  const node = spec.node ?? 'host11';
  return readResource('WorkloadEndpoint', {
    apiVersion: API_VERSION,
    kind: 'WorkloadEndpoint',
    metadata: { name: `${node}-cni-${containerID}-eth0`, namespace: 'default' },
    spec: { orchestrator: 'cni', endpoint: 'eth0', containerID, ...spec, node },
  });
}

const node = parseManifest({
  apiVersion: API_VERSION,
  kind: 'Node',
  metadata: { name: 'host11' },
  spec: { bgp: { ipv4Address: '10.0.0.11/32', ipv6Address: 'fd00::11/128' } },
}) as Node;

function inputs(changes: Partial<LocalInputs> = {}): LocalInputs {
  return {
    nodeName: 'host11',
    node,
    blocks: [],
    endpoints: [],
    gone: new Set(),
    synced: true,
    ...changes,
  };
}

const web1 = endpoint('web1', {
  interfaceName: 'cali1',
  ipNetworks: ['fd00:65::2/128', '10.65.0.2/32'],
});

test('an endpoint becomes an interface with gateways of its families, and host routes', () => {
  const { state, problems } = localStateOf(inputs({ endpoints: [web1], mtu: 1450 }));
  expect(problems).toEqual([]);
  expect(state.endpoints.get('cali1')).toEqual({
    interfaceName: 'cali1',
    workloadAddresses: ['10.65.0.2', 'fd00:65::2'],
    addresses: [
      { address: '169.254.1.1', length: 32 },
      { address: 'fe80::1', length: 64 },
    ],
    sysctls: expect.arrayContaining([
      ['net.ipv4.conf.cali1.rp_filter', '1'],
      ['net.ipv6.conf.cali1.accept_ra', '0'],
    ]),
    mtu: 1450,
  });
  expect(state.sources).toEqual({ ipv4: '10.0.0.11', ipv6: 'fd00::11' });

  const v4 = endpoint('v4', { interfaceName: 'cali2', ipNetworks: ['10.65.0.3/32'] });
  const only = localStateOf(inputs({ endpoints: [v4], node: undefined }));
  expect(only.state.endpoints.get('cali2')?.addresses).toHaveLength(1);
  expect(only.state.sources).toEqual({});
});

test('a name with dots is spelled with slashes in sysctl keys', () => {
  const dotted = endpoint('web2', { interfaceName: 'cali.1', ipNetworks: ['10.65.0.4/32'] });
  const { state } = localStateOf(inputs({ endpoints: [dotted] }));
  expect(state.endpoints.get('cali.1')?.sysctls[0]?.[0]).toBe('net.ipv4.conf.cali/1.forwarding');
});

test('others and those that have left are no concern of this host', () => {
  const other = endpoint('web9', {
    node: 'host12',
    interfaceName: 'cali9',
    ipNetworks: ['10.65.9.2/32'],
  });
  const { state, problems } = localStateOf(
    inputs({ endpoints: [web1, other], gone: new Set(['cali1']) }),
  );
  expect(state.endpoints.size).toBe(0);
  expect(problems).toEqual([]);
});

test('blocks are blackholes, except those of a single address', () => {
  const blocks = ['10.65.1.0/26', '10.65.0.0/26', '10.66.0.1/32', 'fd00:65::/122'].map(parsePrefix);
  expect(localStateOf(inputs({ blocks })).state.blackholes).toEqual([
    '10.65.0.0/26',
    '10.65.1.0/26',
    'fd00:65::/122',
  ]);
});

test.each(['eth0', '', 'cali" ; flush', 'cali0123456789abc'])(
  'the interface %j is never touched',
  (interfaceName) => {
    const stranger = endpoint('web3', { interfaceName, ipNetworks: ['10.65.0.5/32'] });
    const { state, problems } = localStateOf(inputs({ endpoints: [stranger] }));
    expect(state.endpoints.size).toBe(0);
    expect(problems).toEqual([
      {
        resource: 'WorkloadEndpoint default/host11-cni-web3-eth0',
        reason: `interface "${interfaceName}" is not named cali…`,
      },
    ]);
  },
);

test('of two endpoints with one address or interface, the first by name wins, whatever the order', () => {
  const rivals = [
    endpoint('b', { interfaceName: 'cali2', ipNetworks: ['10.65.0.2/32', '10.65.0.7/32'] }),
    endpoint('a', { interfaceName: 'cali1', ipNetworks: ['10.65.0.2/32'] }),
    endpoint('c', { interfaceName: 'cali1', ipNetworks: ['10.65.0.8/32'] }),
  ];
  const orders = fc.shuffledSubarray(rivals, { minLength: rivals.length });
  fc.assert(
    fc.property(orders, (endpoints) => {
      const { state, problems } = localStateOf(inputs({ endpoints }));
      expect(state.endpoints.get('cali1')?.workloadAddresses).toEqual(['10.65.0.2']);
      expect(state.endpoints.get('cali2')?.workloadAddresses).toEqual(['10.65.0.7']);
      expect(problems.map(({ reason }) => reason)).toEqual([
        '10.65.0.2 belongs to WorkloadEndpoint default/host11-cni-a-eth0',
        'interface cali1 belongs to another endpoint',
      ]);
    }),
  );
});
