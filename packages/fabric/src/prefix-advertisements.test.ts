import { expect, test } from 'vitest';
import { bgp, filter, inputs, peer } from '../test/fixture.ts';
import { speakerConfigOf } from './index.ts';

const PEERS = [
  peer('four', { peerIP: '192.0.2.1', asNumber: 1, filters: ['f'] }),
  peer('six', { peerIP: '2001:db8::1', asNumber: 1 }),
];
const FILTERS = [filter('f', { exportV4: [{ action: 'Reject', source: 'RemotePeers' }] })];

function derived(...bgpConfigurations: ReturnType<typeof bgp>[]) {
  const changes = { bgpPeers: PEERS, bgpFilters: FILTERS, bgpConfigurations };
  const { config, diagnostics } = speakerConfigOf(inputs(changes));
  return {
    filters: config?.filters?.filter(({ name }) => name.startsWith('prefixAdvertisements')),
    exports: config?.peers.map(({ exportFilters }) => exportFilters),
    said: diagnostics.map(({ resource, reason }) => `${resource}: ${reason}`),
  };
}

const rule = (prefix: string, ...add: string[]) => ({
  family: prefix.includes(':') ? 'ipv6' : 'ipv4',
  match: { prefix: { prefix, operator: 'in' }, isLearned: false },
  action: 'accept',
  set: { communities: { add } },
});
const MESHLESS = { nodeToNodeMeshEnabled: false };

test('own routes get the communities of every prefix around them; the filters of the peer come first', () => {
  const spec = {
    ...MESHLESS,
    communities: [{ name: 'rack', value: '65000:1' }],
    prefixAdvertisements: [
      { cidr: '10.65.0.0/16', communities: ['rack', '65000:1:2'] },
      { cidr: '10.65.4.0/24', communities: ['65000:4'] },
      { cidr: '10.65.4.0/24', communities: ['rack'] },
      { cidr: '10.66.0.0/16', communities: [] },
    ],
  };
  expect(derived(bgp(spec))).toEqual({
    filters: [
      {
        name: 'prefixAdvertisements/ipv4',
        rules: [
          rule('10.65.4.0/24', '65000:1', '65000:1:2', '65000:4'),
          rule('10.65.0.0/16', '65000:1', '65000:1:2'),
        ],
      },
    ],
    exports: [['f/exportV4', 'prefixAdvertisements/ipv4'], undefined],
    said: [],
  });
});

test('the object of the node takes the place of the common one, with names of its own', () => {
  const common = {
    ...MESHLESS,
    prefixAdvertisements: [{ cidr: '10.0.0.0/8', communities: ['1:1'] }],
  };
  const own = {
    communities: [{ name: 'rack', value: '65000:6' }],
    prefixAdvertisements: [{ cidr: 'fd00:65::/48', communities: ['rack'] }],
  };
  expect(derived(bgp(common), bgp(own, 'node.host11'))).toEqual({
    filters: [{ name: 'prefixAdvertisements/ipv6', rules: [rule('fd00:65::/48', '65000:6')] }],
    exports: [['f/exportV4'], ['prefixAdvertisements/ipv6']],
    said: [],
  });
});

test('what is no community is named, and left out', () => {
  const communities = ['65000:1', 'unknown'];
  const spec = { ...MESHLESS, prefixAdvertisements: [{ cidr: '10.65.0.0/16', communities }] };
  expect(derived(bgp(spec))).toMatchObject({
    filters: [{ rules: [rule('10.65.0.0/16', '65000:1')] }],
    said: [
      'BGPConfiguration default: prefixAdvertisements: unknown is neither a community nor the name of one',
    ],
  });
});
