import { expect, test } from 'vitest';
import { bgp, filter, inputs, node, peer } from '../test/fixture.ts';
import { speakerConfigOf } from './index.ts';

const MESHLESS = { nodeToNodeMeshEnabled: false };

function configOf(changes: Parameters<typeof inputs>[0]) {
  const { config, diagnostics } = speakerConfigOf(inputs(changes));
  if (!config) throw new Error(JSON.stringify(diagnostics));
  return { config, reasons: diagnostics.map((one) => `${one.resource}: ${one.reason}`) };
}

test('what BGPConfigurations say of a speaker beyond the fields of Calico', () => {
  const { config, reasons } = configOf({
    bgpConfigurations: [
      bgp({
        ...MESHLESS,
        role: 'Router',
        multipath: { maxPaths: 8, linkBandwidth: true },
        gracefulRestart: { notification: true, longLivedStaleTime: '24h' },
        aggregates: [
          { cidr: '10.65.0.0/16', summaryOnly: true, communities: ['65000:1'] },
          { cidr: '10.64.0.0/16' },
        ],
        rpki: {
          caches: [{ address: '10.0.9.1' }, { address: '10.0.9.2', port: 8282 }],
          refreshInterval: '15m',
        },
        mrtUpdates: { file: '/var/log/updates.mrt', maxMegabytes: 10 },
        bmpStations: [
          { address: '10.0.9.3', ribs: ['PrePolicy', 'LocRIB'], statisticsInterval: '0' },
        ],
      }),
    ],
  });
  expect(reasons).toEqual([]);
  expect(config).toMatchObject({
    role: 'router',
    multipath: { maxPaths: 8, relaxAsPath: true, linkBandwidth: true },
    gracefulRestart: {
      enabled: true,
      notification: true,
      restartSeconds: 120,
      stalePathSeconds: 360,
      deferralSeconds: 60,
      longLivedStaleSeconds: 86_400,
    },
    aggregates: [
      { prefix: '10.64.0.0/16', summaryOnly: false },
      { prefix: '10.65.0.0/16', summaryOnly: true, communities: ['65000:1'] },
    ],
    rpki: {
      caches: [
        { address: '10.0.9.1', port: 323 },
        { address: '10.0.9.2', port: 8282 },
      ],
      refreshSeconds: 900,
    },
    mrtUpdates: { file: '/var/log/updates.mrt', maxOctets: 10_000_000, files: 4 },
    bmp: [
      { address: '10.0.9.3', port: 11_019, ribs: ['pre-policy', 'loc-rib'], statisticsSeconds: 0 },
    ],
  });
});

test('the object of a node speaks for itself, field by field', () => {
  const { config } = configOf({
    bgpConfigurations: [
      bgp({ ...MESHLESS, role: 'Router', multipath: { maxPaths: 8 } }),
      bgp({ multipath: { relaxASPath: false } }, 'node.host11'),
      bgp({ role: 'Host' }, 'node.host12'),
    ],
  });
  expect(config.role).toBe('router');
  expect(config.multipath).toEqual({ maxPaths: 64, relaxAsPath: false });
});

test('a reflector is one whatever the role, and may leave its clients to themselves', () => {
  const { config } = configOf({
    nodes: [
      node('host11', {
        asNumber: 65101,
        ipv4Address: '10.0.0.11/32',
        routeReflectorClusterID: '1.0.0.1',
      }),
    ],
    bgpConfigurations: [bgp({ ...MESHLESS, role: 'Router', clientToClientReflection: 'Disabled' })],
  });
  expect(config).toMatchObject({ role: 'reflector', clusterId: '1.0.0.1', clientToClient: false });
});

test('a router checks what its peers send only if they are to be checked', () => {
  const { config } = configOf({
    bgpConfigurations: [bgp({ ...MESHLESS, role: 'Router' })],
    bgpPeers: [
      peer('a', { peerIP: '10.9.1.1', asNumber: 65011 }),
      peer('b', { peerIP: '10.9.1.2', asNumber: 65012, importSafety: { defaultRoute: 'Accept' } }),
      peer('c', { peerIP: '10.9.1.3', asNumber: 65013, importSafety: { mode: 'Enabled' } }),
    ],
  });
  expect(config.peers.map(({ importSafety }) => importSafety?.defaultRoute)).toEqual([
    undefined,
    true,
    false,
  ]);
});

test('what the node offers anyway is no aggregate', () => {
  const { config, reasons } = configOf({
    blocks: ['10.65.0.0/26'],
    bgpConfigurations: [bgp({ ...MESHLESS, aggregates: [{ cidr: '10.65.0.0/26' }] })],
  });
  expect(config.aggregates).toBeUndefined();
  expect(reasons).toEqual(['aggregate 10.65.0.0/26: the node offers that very prefix of its own']);
});

test('settings of a BGPPeer that Calico lacks', () => {
  const { config } = configOf({
    bgpPeers: [
      peer('leaf', {
        peerIP: 'fd00:9::1',
        asNumber: 65011,
        addressFamilies: ['IPv6', 'IPv4'],
        extendedNextHop: true,
        linkLocalNextHop: 'Single',
        extendedMessages: true,
        bindInterface: 'eth1',
        localASNumber: 64_900,
        localASMode: 'NoPrepend',
        asOverride: true,
        removePrivateAS: 'All',
        enforceFirstAS: true,
        allowASSets: true,
        defaultOriginate: true,
        minimumHoldTime: '9s',
      }),
    ],
  });
  expect(config.peers[0]).toMatchObject({
    families: ['ipv4', 'ipv6'],
    extendedNextHop: true,
    linkLocalNextHop: 'single',
    extendedMessages: true,
    bindInterface: 'eth1',
    localAsn: 64_900,
    localAsMode: 'no-prepend',
    asOverride: true,
    removePrivateAs: 'all',
    enforceFirstAs: true,
    allowAsSets: true,
    defaultOriginate: true,
    minHoldSeconds: 9,
  });
});

test('a listen range is no peer, and has what a peer has', () => {
  const { config, reasons } = configOf({
    bgpFilters: [filter('f', { importV4: [{ action: 'Reject' }] })],
    bgpPeers: [
      peer('racks', {
        listenRange: { cidr: '10.9.0.0/16', limit: 40 },
        holdTime: '9s',
        filters: ['f'],
        password: { value: 'secret' },
      }),
      peer('lab', { listenRange: { cidr: 'fd00:9::/32' }, asNumber: 65012 }),
    ],
  });
  expect(reasons).toEqual([]);
  expect(config.peers).toEqual([]);
  expect(config.filters?.map(({ name }) => name)).toEqual(['f/importV4']);
  expect(config.listen.map(({ address }) => address)).toEqual(['0.0.0.0', '::']);
  expect(config.listenRanges).toMatchObject([
    { prefix: 'fd00:9::/32', limit: 100, peer: { asn: 65012, families: ['ipv6'] } },
    {
      prefix: '10.9.0.0/16',
      limit: 40,
      peer: {
        asn: 'external',
        families: ['ipv4'],
        passive: true,
        holdSeconds: 9,
        importFilters: ['f/importV4'],
        importSafety: { defaultRoute: false, isNode: false },
        password: { value: 'secret' },
      },
    },
  ]);
  const [range] = config.listenRanges ?? [];
  expect(Object.keys(range?.peer ?? {})).not.toContain('localAddress');
});

test('two ranges of one prefix are one, and a password is not demanded of who has none', () => {
  const { config, reasons } = configOf({
    bgpPeers: [
      peer('a', { listenRange: { cidr: '10.9.0.0/16' }, password: { value: 'secret' } }),
      peer('b', { listenRange: { cidr: '10.9.0.0/16' } }),
      peer('leaf', { peerIP: '10.9.1.1', asNumber: 65011 }),
    ],
  });
  expect(config.listenRanges).toBeUndefined();
  expect(config.peers.map(({ name }) => name)).toEqual(['leaf']);
  expect(reasons).toEqual([
    'BGPPeer a: listenRange: 10.9.1.1, which it holds, has no password: nobody is let in',
    'BGPPeer b: BGPPeer a already peers with 10.9.0.0/16',
  ]);
});

test('a filter that asks for origins needs caches', () => {
  const changes = {
    bgpFilters: [filter('f', { importV4: [{ originValidation: 'Invalid', action: 'Reject' }] })],
    bgpPeers: [peer('leaf', { peerIP: '10.9.1.1', asNumber: 65011, filters: ['f'] })],
  };
  expect(configOf(changes).config.peers).toEqual([]);
  expect(configOf(changes).reasons).toEqual([
    'BGPPeer leaf: BGPFilter f: originValidation: no BGPConfiguration names RPKI caches: no session is made without',
  ]);
  const caches = [bgp({ ...MESHLESS, rpki: { caches: [{ address: '10.0.9.1' }] } })];
  const { config } = configOf({ ...changes, bgpConfigurations: caches });
  expect(config.filters?.[0]?.rules[0]?.match).toEqual({ rpki: 'invalid' });
  expect(config.peers).toHaveLength(1);
});
