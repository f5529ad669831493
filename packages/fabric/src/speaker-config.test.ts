import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bgp, endpoint, filter, inputs, node, peer, pool } from '../test/fixture.ts';
import { type FabricInputs, speakerConfigOf } from './index.ts';

const LEAF = {
  node: 'host11',
  peerIP: '10.254.11.10',
  asNumber: 65011,
  sourceAddress: 'None',
  numAllowedLocalASNumbers: 1,
  holdTime: '3s',
  keepaliveTime: '1s',
};

function configOf(changes: Parameters<typeof inputs>[0]) {
  const { config, diagnostics } = speakerConfigOf(inputs(changes));
  if (!config) throw new Error(JSON.stringify(diagnostics));
  return { config, diagnostics };
}

const sessions = (changes: Parameters<typeof inputs>[0]) =>
  configOf(changes).config.peers.map(({ name, address, port, asn, passive }) =>
    [name, address, port, asn, passive ? 'passive' : 'active'].join(' '),
  );

const reasons = (changes: Parameters<typeof inputs>[0]) =>
  configOf(changes).diagnostics.map(({ resource, reason }) => `${resource}: ${reason}`);

test('a dual-homed host of the lab', () => {
  const { config, diagnostics } = configOf({
    bgpPeers: [
      peer('leaf12-v6', { ...LEAF, peerIP: '[fd00:254:12::10]:1179', asNumber: 65012 }),
      peer('leaf11-v4', LEAF),
      peer('elsewhere', { ...LEAF, node: 'host12', peerIP: '10.254.11.12' }),
    ],
    blocks: ['fd00:65::/122', '10.65.0.64/26'],
  });
  const common = {
    holdSeconds: 3,
    keepaliveSeconds: 1,
    connectRetrySeconds: 5,
    passive: false,
    allowAsIn: 1,
    asOverride: false,
    nextHop: 'auto',
    ttl: 64,
    importSafety: { defaultRoute: false, isNode: false },
  };
  expect(config).toEqual({
    asn: 65101,
    routerId: '10.0.0.11',
    role: 'host',
    listen: [
      { address: '0.0.0.0', port: 179 },
      { address: '::', port: 179 },
    ],
    multipath: { maxPaths: 64, relaxAsPath: true },
    gracefulRestart: {
      enabled: true,
      restartSeconds: 120,
      stalePathSeconds: 360,
      deferralSeconds: 60,
    },
    peers: [
      {
        name: 'leaf11-v4',
        address: '10.254.11.10',
        port: 179,
        asn: 65011,
        families: ['ipv4'],
        ...common,
      },
      {
        name: 'leaf12-v6',
        address: 'fd00:254:12::10',
        port: 1179,
        asn: 65012,
        families: ['ipv6'],
        ...common,
      },
    ],
    originate: ['10.0.0.11/32', '10.65.0.64/26', 'fd00::11/128', 'fd00:65::/122'],
    importSafety: {
      pools: [
        { prefix: '10.65.0.0/16', blockLength: 26, takesHosts: true },
        { prefix: 'fd00:65::/48', blockLength: 122, takesHosts: true },
      ],
      lent: [],
    },
  });
  expect(diagnostics).toEqual([]);
});

test('without the own Node there is no configuration', () => {
  const { config, diagnostics } = speakerConfigOf(inputs({ nodes: [] }));
  expect(config).toBeUndefined();
  expect(diagnostics).toEqual([{ resource: 'Node host11', reason: 'does not exist' }]);
});

test('AS number, port and bind address come from the Node, its BGPConfiguration, the default one', () => {
  const nodes = [node('host11', { ipv4Address: '10.0.0.11/24' })];
  const plain = configOf({ nodes, bgpConfigurations: [] }).config;
  expect(plain).toMatchObject({ asn: 64512, listen: [{ address: '0.0.0.0', port: 179 }] });
  expect(plain.originate).toEqual([]);

  const configured = configOf({
    nodes,
    bgpConfigurations: [
      bgp({ asNumber: '1.10', listenPort: 1179, bindMode: 'NodeIP' }),
      bgp({ listenPort: 2179, asNumber: 65000 }, 'node.host11'),
    ],
  });
  expect(configured.config).toMatchObject({
    asn: 65546,
    listen: [{ address: '10.0.0.11', port: 2179 }],
  });
  expect(configured.diagnostics).toEqual([
    {
      resource: 'BGPConfiguration node.host11',
      reason: 'asNumber counts in the object named default only',
    },
  ]);
});

test('a node without IPv4 gets its router id from its name', () => {
  const config = (nodeName: string) =>
    speakerConfigOf(inputs({ nodeName, nodes: [node(nodeName, { ipv6Address: 'fd00::1/128' })] }))
      .config;
  expect(config('host11')?.routerId).toBe(config('host11')?.routerId);
  expect(config('host11')?.routerId).not.toBe(config('host12')?.routerId);
  expect(config('host11')?.routerId).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
});

const MESH = [
  node('host9', { ipv4Address: '10.0.0.9/24', asNumber: 65000 }),
  node('host11', { ipv4Address: '10.0.0.11/24', ipv6Address: 'fd00::11/64' }, { rack: 'r1' }),
  node('host12', { ipv4Address: '10.0.0.12/24', ipv6Address: 'fd00::12/64' }, { rack: 'r1' }),
  node('rr', { ipv4Address: '10.0.0.20/24', routeReflectorClusterID: '1.0.0.1' }, { rr: 'yes' }),
];

test('the mesh leads to every node but reflectors; the side whose peer is greater as text waits', () => {
  expect(sessions({ nodes: MESH, bgpConfigurations: [] })).toEqual([
    'mesh/host12/ipv4 10.0.0.12 179 64512 passive',
    'mesh/host12/ipv6 fd00::12 179 64512 passive',
    'mesh/host9/ipv4 10.0.0.9 179 65000 passive',
  ]);
  expect(sessions({ nodes: MESH, bgpConfigurations: [], nodeName: 'host9' })).toEqual([
    'mesh/host11/ipv4 10.0.0.11 179 64512 active',
    'mesh/host12/ipv4 10.0.0.12 179 64512 active',
  ]);
  const mesh = configOf({ nodes: MESH, bgpConfigurations: [] }).config.peers;
  expect(mesh[0]?.localAddress).toBe('10.0.0.11');
});

test('a node with a cluster id reflects: its iBGP peers are clients, but for those of the same cluster', () => {
  const nodes = [
    node('host9', { ipv4Address: '10.0.0.9/24', asNumber: 65000 }),
    node('host11', { ipv4Address: '10.0.0.11/24', ipv6Address: 'fd00::11/64' }),
    node('rr1', {
      ipv4Address: '10.0.0.20/24',
      ipv6Address: 'fd00::20/64',
      routeReflectorClusterID: '1.0.0.1',
    }),
    node('rr2', { ipv4Address: '10.0.0.21/24', routeReflectorClusterID: '1.0.0.1' }),
    node('rr3', { ipv4Address: '10.0.0.22/24', routeReflectorClusterID: '1.0.0.2' }),
  ];
  const bgpPeers = [
    peer('all', { node: 'rr1', peerSelector: 'all()' }),
    peer('router', { node: 'rr1', peerIP: '192.0.2.1', asNumber: 64512 }),
    peer('tor', { node: 'rr1', peerIP: '192.0.2.2', asNumber: 65001 }),
    peer('migrated', { node: 'rr1', peerIP: '192.0.2.3', asNumber: 64512, localASNumber: 65002 }),
    peer('moved', { node: 'rr1', peerIP: '192.0.2.4', asNumber: 65002, localASNumber: 65002 }),
    peer('by-address', { node: 'rr1', peerIP: '10.0.0.21:1179' }),
  ];
  const { config, diagnostics } = configOf({
    nodeName: 'rr1',
    nodes,
    bgpPeers,
    bgpConfigurations: [],
  });
  expect(config).toMatchObject({ role: 'reflector', clusterId: '1.0.0.1' });
  const clients = config.peers.filter(({ routeReflectorClient }) => routeReflectorClient);
  expect(clients.map(({ name }) => name)).toEqual([
    'all/host11/ipv4',
    'all/host11/ipv6',
    'all/rr3/ipv4',
    'moved',
    'router',
  ]);
  const rest = config.peers.filter((candidate) => !clients.includes(candidate));
  expect(rest.map(({ name }) => name)).toEqual([
    'all/host9/ipv4',
    'all/rr2/ipv4',
    'by-address',
    'migrated',
    'tor',
  ]);
  expect(diagnostics).toEqual([]);

  const host = configOf({ nodeName: 'host11', nodes, bgpPeers, bgpConfigurations: [] }).config;
  expect(host).toMatchObject({ role: 'host' });
  expect(host).not.toHaveProperty('clusterId');
  expect(host.peers.some(({ routeReflectorClient }) => routeReflectorClient)).toBe(false);
});

test('every session between nodes exists on both sides, and exactly one of them waits', () => {
  const peers = [
    peer('to-rr', { nodeSelector: '!has(rr)', peerSelector: "rr == 'yes'" }),
    peer('explicit', { node: 'host9', peerIP: '10.0.0.11', asNumber: 64512 }),
  ];
  const ends = MESH.flatMap(({ metadata }) => {
    const own = MESH.find((other) => other.metadata.name === metadata.name)?.spec.bgp;
    const { config } = configOf({
      nodeName: metadata.name,
      nodes: MESH,
      bgpPeers: peers,
      bgpConfigurations: [bgp({ nodeToNodeMeshEnabled: true })],
    });
    return config.peers.map(({ address, families, passive }) => {
      const text = families[0] === 'ipv4' ? own?.ipv4Address : own?.ipv6Address;
      return { from: text?.split('/')[0], to: address as string, passive };
    });
  });
  for (const { from, to, passive } of ends) {
    const back = ends.filter((end) => end.from === to && end.to === from);
    expect(back.map((end) => end.passive)).toEqual([!passive]);
  }
  expect(ends).toHaveLength(2 * (4 + 3));
});

test('selectors on both sides, and only our own are asked', () => {
  const rack = { nodeSelector: "rack == 'r1'", peerSelector: "rack == 'r1'" };
  const bgpConfigurations = [bgp({ nodeToNodeMeshEnabled: false })];
  const changes = { nodes: MESH, bgpConfigurations, bgpPeers: [peer('rack', rack)] };
  expect(sessions(changes)).toEqual([
    'rack/host12/ipv4 10.0.0.12 179 64512 passive',
    'rack/host12/ipv6 fd00::12 179 64512 passive',
  ]);
  expect(sessions({ ...changes, nodeName: 'host9' })).toEqual([]);
});

test('the other side of a session takes the paths that one side sends (RFC 7911)', () => {
  const spec = {
    node: 'host9',
    peerSelector: "rack == 'r1'",
    addPath: { receive: false, send: 'Best', bestPaths: 2 },
  };
  const bgpConfigurations = [bgp({ nodeToNodeMeshEnabled: false })];
  const { config } = configOf({ nodes: MESH, bgpConfigurations, bgpPeers: [peer('p', spec)] });
  expect(config.peers.map(({ addPath }) => addPath)).toContainEqual({ receive: true });
});

test('reversePeering Manual leaves the other side alone', () => {
  const spec = { node: 'host9', peerSelector: "rack == 'r1'", reversePeering: 'Manual' };
  const bgpConfigurations = [bgp({ nodeToNodeMeshEnabled: false })];
  expect(sessions({ nodes: MESH, bgpConfigurations, bgpPeers: [peer('p', spec)] })).toEqual([]);
});

test('of peers with one address and port, a global one wins, and the loser is named', () => {
  const bgpPeers = [
    peer('a-node', { node: 'host11', peerIP: '192.0.2.1', asNumber: 65002 }),
    peer('b-global', { peerIP: '192.0.2.1', asNumber: 65001 }),
    peer('c-other-port', { peerIP: '192.0.2.1:1179', asNumber: 65003 }),
  ];
  expect(sessions({ bgpPeers })).toEqual([
    'b-global 192.0.2.1 179 65001 active',
    'c-other-port 192.0.2.1 1179 65003 active',
  ]);
  expect(reasons({ bgpPeers })).toEqual([
    'BGPPeer a-node: BGPPeer b-global already peers with 192.0.2.1',
  ]);
});

test('what cannot be honoured is named; what protects a session is not left out', () => {
  const bgpPeers = [
    peer('password', {
      peerIP: '192.0.2.1',
      asNumber: 1,
      password: { secretKeyRef: { name: '..', key: 'k' } },
    }),
    peer('no-source', { peerIP: '192.0.2.1', asNumber: 1, password: {} }),
    peer('filters', { peerIP: '192.0.2.2', asNumber: 1, filters: ['f'] }),
    peer('self', { peerIP: '10.0.0.11', asNumber: 1 }),
    peer('no-as', { peerIP: '192.0.2.3' }),
    peer('nothing', {}),
    peer('gtsm', { peerIP: '192.0.2.4', asNumber: 1, ttlSecurity: 1, reachableBy: '192.0.2.5' }),
    peer('hold', { peerIP: '192.0.2.6', asNumber: 1, holdTime: '2s' }),
  ];
  const bgpConfigurations = [bgp({ nodeToNodeMeshEnabled: false, ignoredInterfaces: ['eth9'] })];
  expect(sessions({ bgpPeers, bgpConfigurations })).toEqual([
    'gtsm 192.0.2.4 179 1 active',
    'hold 192.0.2.6 179 1 active',
  ]);
  expect(reasons({ bgpPeers, bgpConfigurations })).toEqual([
    'BGPConfiguration default: ignoredInterfaces is not supported yet',
    'BGPPeer filters: there is no BGPFilter f: no session is made without',
    'BGPPeer hold: holdTime 2s is neither 0 nor 3s to 65535s: uses 90s',
    'BGPPeer no-as: has no asNumber, and 192.0.2.3 is no node of the cluster',
    'BGPPeer no-source: password has neither secretKeyRef, file nor value: no session is made without',
    'BGPPeer nothing: has neither peerIP nor peerSelector nor localWorkloadSelector nor interface nor listenRange',
    'BGPPeer password: password.secretKeyRef is no name of a secret and its key: no session is made without',
    'BGPPeer self: peerIP 10.0.0.11 is an address of this node',
  ]);
});

/** A peer with these fields, as the speaker has it. */
const settings = (spec: object) => {
  const bgpPeers = [peer('p', { peerIP: '192.0.2.1', asNumber: 65001, ...spec })];
  return configOf({ bgpPeers }).config.peers[0];
};

test('settings of a peer', () => {
  expect(settings({})).toMatchObject({
    holdSeconds: 90,
    keepaliveSeconds: 30,
    localAddress: '10.0.0.11',
    nextHop: 'auto',
    allowAsIn: 0,
  });
  expect(settings({ keepaliveTime: '60s' })).toMatchObject({
    holdSeconds: 180,
    keepaliveSeconds: 60,
  });
  expect(settings({ holdTime: '0' })).toMatchObject({ holdSeconds: 0, keepaliveSeconds: 0 });
  expect(settings({ nextHopMode: 'Self', passive: true })).toMatchObject({
    nextHop: 'force',
    passive: true,
  });
  expect(settings({ keepOriginalNextHop: true })).toMatchObject({ nextHop: 'keep' });
  expect(settings({ localASNumber: 65009, connectRetry: '1500ms' })).toMatchObject({
    localAsn: 65009,
    connectRetrySeconds: 2,
  });
  expect(settings({ password: { file: '/etc/overland/bgp.key' } })).toMatchObject({
    password: { file: '/etc/overland/bgp.key' },
  });
  expect(settings({ password: { value: 's3cret' } })).toMatchObject({
    password: { value: 's3cret' },
  });
  expect(
    settings({
      maxPrefixes: { ipv4: 100, action: 'Restart', restartAfter: '5m', warningPercent: 75 },
    }),
  ).toMatchObject({
    maxPrefixes: { most: { ipv4: 100 }, action: 'restart', restartSeconds: 300 },
  });
  expect(settings({ maxPrefixes: { advertised: { ipv4: 10 } } })).toMatchObject({
    maxPrefixes: { most: {} },
    maxAdvertised: { ipv4: 10 },
  });
  expect(settings({ role: 'RSClient', strictRole: true })).toMatchObject({
    role: 'rs-client',
    strictRole: true,
  });
  expect(settings({ gracefulShutdown: true })).toMatchObject({ gracefulShutdown: true });
  expect(settings({ addPath: { receive: true, send: 'Best', bestPaths: 2 } })).toMatchObject({
    addPath: { receive: true, send: { best: 2 } },
  });
  expect(settings({ addPath: { receive: true, send: 'None' } })).toMatchObject({
    addPath: { receive: true },
  });
  expect(settings({ addPath: { receive: false, send: 'Multipath' } })).toMatchObject({
    addPath: { receive: false, send: 'multipath' },
  });
  expect(settings({})).not.toHaveProperty('role');
  expect(settings({})).not.toHaveProperty('password');
  expect(settings({ ttlSecurity: 2 })).toMatchObject({ ttl: 255, minTtl: 254 });
  expect(settings({ sourceAddress: 'None' })).not.toHaveProperty('localAddress');
});

test('filters of a peer, by direction and family; one that is missing costs the session', () => {
  const reject = [{ action: 'Reject' }];
  const bgpFilters = [
    filter('unused', { importV4: reject }),
    filter('b', { importV4: reject, exportV6: reject }),
    filter('a', { importV4: reject, importV6: [] }),
  ];
  const bgpPeers = [
    peer('four', { peerIP: '192.0.2.1', asNumber: 1, filters: ['b', 'a'] }),
    peer('six', { peerIP: '2001:db8::1', asNumber: 1, filters: ['b', 'a'] }),
    peer('open', { peerIP: '192.0.2.3', asNumber: 1, filters: ['b', 'gone'] }),
    peer('plain', { peerIP: '192.0.2.4', asNumber: 1 }),
  ];
  const { config, diagnostics } = configOf({ bgpPeers, bgpFilters });
  expect(config.peers.map((p) => [p.name, p.importFilters, p.exportFilters])).toEqual([
    ['four', ['b/importV4', 'a/importV4'], undefined],
    ['plain', undefined, undefined],
    ['six', undefined, ['b/exportV6']],
  ]);
  expect(config.filters?.map(({ name }) => name)).toEqual([
    'a/importV4',
    'b/exportV6',
    'b/importV4',
  ]);
  expect(diagnostics).toEqual([
    {
      resource: 'BGPPeer open',
      reason: 'there is no BGPFilter gone: no session is made without',
    },
  ]);
  expect(configOf({}).config).not.toHaveProperty('filters');
});

test('one restart time for the whole speaker: the longest asked for', () => {
  const bgpPeers = [
    peer('a', { peerIP: '192.0.2.1', asNumber: 1, maxRestartTime: '30s' }),
    peer('b', { peerIP: '192.0.2.2', asNumber: 1, maxRestartTime: '45s' }),
  ];
  const { config, diagnostics } = configOf({ bgpPeers });
  expect(config.gracefulRestart.restartSeconds).toBe(45);
  expect(diagnostics).toEqual([
    { resource: 'graceful restart', reason: 'sessions differ in their restart time: all use 45s' },
  ]);
});

test('blocks of hidden pools and of nobody, and addresses borrowed from others', () => {
  const changes = {
    pools: [
      pool('ipv4', { cidr: '10.65.0.0/16' }),
      pool('hidden', { cidr: '10.66.0.0/16', disableBGPExport: true }),
    ],
    blocks: ['10.65.0.0/26', '10.66.0.0/26', '10.99.0.0/26'],
    endpoints: [
      endpoint('host11', '10.65.0.2/32', '10.65.7.2/32', '10.66.9.1/32'),
      endpoint('host12', '10.65.8.1/32'),
    ],
  };
  expect(configOf(changes).config.originate).toEqual([
    '10.0.0.11/32',
    '10.65.0.0/26',
    '10.65.7.2/32',
    '10.99.0.0/26',
    'fd00::11/128',
  ]);
  expect(reasons(changes)).toEqual([
    'prefix 10.66.0.0/26: IPPool hidden has disableBGPExport',
    'prefix 10.66.9.1/32: IPPool hidden has disableBGPExport',
  ]);
});

test('the order of the resources does not matter', () => {
  const full: FabricInputs = inputs({
    nodes: MESH,
    bgpConfigurations: [bgp({ asNumber: 65000 }), bgp({ listenPort: 1179 }, 'node.host11')],
    bgpPeers: [
      peer('b', { peerIP: '192.0.2.1', asNumber: 1 }),
      peer('a', { peerIP: '192.0.2.1', asNumber: 2 }),
      peer('c', { node: 'host11', peerSelector: "rr == 'yes'", filters: [] }),
      peer('d', { peerIP: '192.0.2.2', asNumber: 1, filters: ['x'] }),
    ],
    blocks: ['10.65.0.0/26', '10.65.3.0/26', 'fd00:65::/122'],
  });
  const shuffled = fc.record({
    nodes: fc.shuffledSubarray([...full.nodes], { minLength: full.nodes.length }),
    bgpConfigurations: fc.shuffledSubarray([...full.bgpConfigurations], { minLength: 2 }),
    bgpPeers: fc.shuffledSubarray([...full.bgpPeers], { minLength: full.bgpPeers.length }),
    blocks: fc.shuffledSubarray([...full.blocks], { minLength: full.blocks.length }),
  });
  const expected = speakerConfigOf(full);
  fc.assert(
    fc.property(shuffled, (changes) => {
      expect(speakerConfigOf({ ...full, ...changes })).toEqual(expected);
    }),
  );
});

test('BFD: what the resource says, and Auto is left to the speaker', () => {
  expect(settings({ bfd: {} })?.bfd).toEqual({
    transmitMs: 300,
    receiveMs: 300,
    detectMultiplier: 3,
    passive: false,
    strict: false,
  });
  const own = {
    transmitInterval: '50ms',
    receiveInterval: '60ms',
    detectMultiplier: 5,
    multihop: 'Enabled',
    minimumTTL: 250,
    passive: true,
    strict: true,
  };
  expect(settings({ bfd: own })?.bfd).toEqual({
    transmitMs: 50,
    receiveMs: 60,
    detectMultiplier: 5,
    multihop: true,
    minTtl: 250,
    passive: true,
    strict: true,
  });
  expect(settings({})).not.toHaveProperty('bfd');
});

test('an unnumbered session: both families on an interface, with filters of both', () => {
  const { config, diagnostics } = configOf({
    bgpPeers: [
      peer('rack', { interface: 'eth1', filters: ['mine'] }),
      peer('second', { interface: 'eth2', asNumber: 65011, node: 'host11' }),
      peer('again', { interface: 'eth1', nodeSelector: 'all()' }),
      peer('elsewhere', { interface: 'eth3', node: 'host12' }),
    ],
    bgpFilters: [
      filter('mine', { importV4: [{ action: 'Reject' }], exportV6: [{ action: 'Accept' }] }),
    ],
  });
  const unnumbered = {
    address: '::',
    unnumbered: true,
    families: ['ipv4', 'ipv6'],
    extendedNextHop: true,
    passive: false,
  };
  expect(config.peers).toMatchObject([
    {
      ...unnumbered,
      name: 'rack',
      interface: 'eth1',
      asn: 'external',
      importFilters: ['mine/importV4'],
      exportFilters: ['mine/exportV6'],
    },
    { ...unnumbered, name: 'second', interface: 'eth2', asn: 65011 },
  ]);
  expect(config.peers[0]).not.toHaveProperty('localAddress');
  expect(diagnostics.map(({ resource, reason }) => `${resource}: ${reason}`)).toEqual([
    'BGPPeer again: BGPPeer rack already peers with eth1',
  ]);
});
