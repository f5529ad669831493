import { expect, test } from 'vitest';
import { bgp, endpoint, inputs, node, peer, pool } from '../test/fixture.ts';
import { speakerConfigOf } from './index.ts';

const NODES = [
  node('host11', { ipv4Address: '10.0.0.11/24' }),
  node('host12', { ipv4Address: '10.0.0.12/24' }),
  node('rr', { ipv4Address: '10.0.0.20/24', routeReflectorClusterID: '1.0.0.1' }),
];
const LEAF = { peerIP: '192.0.2.1', asNumber: 65011 };

function configOf(changes: Parameters<typeof inputs>[0]) {
  const { config, diagnostics } = speakerConfigOf(inputs(changes));
  if (!config) throw new Error(JSON.stringify(diagnostics));
  return config;
}

/** What is checked of each peer. */
const checks = (changes: Parameters<typeof inputs>[0]) =>
  Object.fromEntries(
    configOf({ nodes: NODES, ...changes }).peers.map(({ name, importSafety }) => [
      name,
      importSafety,
    ]),
  );

test('hosts check what every peer sends; a default route is for those that are asked for one', () => {
  const bgpPeers = [
    peer('leaf', LEAF),
    peer('uplink', { ...LEAF, peerIP: '192.0.2.2', importSafety: { defaultRoute: 'Accept' } }),
    peer('plain', { ...LEAF, peerIP: '192.0.2.3', importSafety: {} }),
    peer('off', { ...LEAF, peerIP: '192.0.2.4', importSafety: { mode: 'Disabled' } }),
    peer('node', { peerIP: '10.0.0.20' }),
  ];
  expect(checks({ bgpPeers, bgpConfigurations: [bgp({})] })).toEqual({
    leaf: { defaultRoute: false, isNode: false },
    uplink: { defaultRoute: true, isNode: false },
    plain: { defaultRoute: false, isNode: false },
    off: undefined,
    node: { defaultRoute: false, isNode: true },
    'mesh/host12/ipv4': { defaultRoute: false, isNode: true },
  });
});

test('a route reflector checks where it is asked to; the other side of a mirrored session decides for itself', () => {
  const bgpPeers = [
    peer('plain', { ...LEAF, node: 'rr' }),
    peer('asked', { ...LEAF, node: 'rr', peerIP: '192.0.2.2', importSafety: {} }),
    peer('hosts', {
      node: 'rr',
      peerSelector: 'all()',
      importSafety: { mode: 'Enabled', defaultRoute: 'Accept' },
    }),
  ];
  const asked = { defaultRoute: true, isNode: true };
  expect(checks({ nodeName: 'rr', bgpPeers })).toEqual({
    plain: undefined,
    asked: { defaultRoute: false, isNode: false },
    'hosts/host11/ipv4': asked,
    'hosts/host12/ipv4': asked,
  });
  expect(checks({ bgpPeers })).toEqual({
    'hosts/rr/ipv4': { defaultRoute: false, isNode: true },
  });
  const unchecked = configOf({ nodes: NODES, nodeName: 'rr', bgpPeers: bgpPeers.slice(0, 1) });
  expect(unchecked).not.toHaveProperty('importSafety');
});

test('what the checks know: pools, own blocks that are not offered, addresses that others have borrowed', () => {
  const changes = {
    bgpPeers: [peer('leaf', LEAF)],
    pools: [
      pool('six', { cidr: 'fd00:65::/48' }),
      pool('four', { cidr: '10.65.0.0/16', blockSize: 28 }),
      pool('services', { cidr: '10.70.0.0/16', allowedUses: ['LoadBalancer'] }),
      pool('hidden', { cidr: '10.66.0.0/16', disableBGPExport: true, disabled: true }),
    ],
    blocks: ['10.65.0.0/28', '10.66.0.0/26', 'fd00:65::/122'],
    endpoints: [
      endpoint('host11', '10.65.0.2/32', '10.65.7.2/32'),
      endpoint('host12', '10.65.0.3/32', '10.65.8.1/32', 'fd00:65::9/128'),
    ],
  };
  const pools = (takesHosts: boolean) => [
    { prefix: '10.65.0.0/16', blockLength: 28, takesHosts },
    { prefix: '10.66.0.0/16', blockLength: 26, takesHosts },
    { prefix: 'fd00:65::/48', blockLength: 122, takesHosts },
  ];
  expect(configOf(changes).importSafety).toEqual({
    own: ['10.66.0.0/26'],
    pools: pools(true),
    lent: ['10.65.0.3/32', 'fd00:65::9/128'],
  });
  const lent = configOf({
    ...changes,
    lent: ['10.65.0.3/32', '10.65.0.1/32'],
    blocks: ['10.65.0.0/28'],
  });
  expect(lent.importSafety).toEqual({
    pools: pools(true),
    lent: ['10.65.0.1/32', '10.65.0.3/32'],
  });
  expect(configOf({ ...changes, strictAffinity: true }).importSafety?.pools).toEqual(pools(false));
});
