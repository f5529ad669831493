// What the generator of samples cannot know: values and whole specs that rules between fields want.

type Values = Readonly<Record<string, unknown>>;

/** Names that are not free. */
export const NAMES: Readonly<Record<string, string>> = {
  IPAMConfiguration: 'default',
  BGPConfiguration: 'default',
  ClusterInformation: 'default',
  KubeControllersConfiguration: 'default',
};

const OPERATIONS = [
  { addCommunity: { value: '64512:100' } },
  { prependASPath: { prefix: [64_512] } },
  { setPriority: { value: 512 } },
  { removeCommunity: { value: '64512:100' } },
  { setCommunities: { values: ['64512:100', '64512:1:2'] } },
  { setLocalPreference: { value: 200 } },
  { setMED: { value: 0 } },
  { removeMED: {} },
];

/** Kind → path → value. */
export const VALUES: Readonly<Record<string, Values>> = {
  Node: { 'spec.bgp.ipv6Address': 'fd00:9::11/127' },
  IPPool: {
    'spec.cidr': '10.65.0.0/16',
    'spec.blockSize': 27,
    'spec.ipipMode': 'Never',
    'spec.vxlanMode': 'Never',
    'spec.allowedUses': ['Tunnel'],
  },
  BGPFilter: Object.fromEntries(
    ['importV4', 'exportV4', 'importV6', 'exportV6'].flatMap((list) => [
      [`spec.${list}[].action`, 'Accept'],
      [`spec.${list}[].operations`, OPERATIONS],
    ]),
  ),
  BGPConfiguration: { 'spec.rpki.expireInterval': '2h' },
  BGPPeer: {
    'spec.minimumHoldTime': '9s',
    'spec.holdTime': '300s',
    'spec.bfd.multihop': 'Enabled',
    'spec.maxPrefixes.action': 'Restart',
    'spec.addPath.send': 'Best',
  },
  WorkloadEndpoint: {
    'spec.orchestrator': 'cni',
    'spec.node': 'host-11',
    'spec.containerID': 'c0ffee',
    'spec.endpoint': 'eth0',
    'spec.interfaceName': 'cali0123456789a',
    'spec.ipNetworks': ['10.65.0.2/32', 'fd00:65::2/128'],
    'spec.ipNATs': [{ internalIP: '10.65.0.2', externalIP: '203.0.113.2' }],
    'spec.ports[].name': 'http',
    'spec.ports[].hostPort': 8080,
    'spec.ports[].hostIP': '10.9.1.11/32',
    'spec.qosControls.dscp': 'EF',
    ...limits('Bandwidth', 2_000_000),
    ...limits('Burst', 2_000_000),
    ...limits('Peakrate', 3_000_000),
    ...limits('Minburst', 2000),
    ...limits('PacketRate', 100),
    ...limits('PacketBurst', 10),
    ...limits('MaxConnections', 50),
  },
  HostEndpoint: { 'spec.ports[].name': 'http', 'spec.interfaceName': 'eth0' },
};

function limits(what: string, value: number): Values {
  return {
    [`spec.qosControls.ingress${what}`]: value,
    [`spec.qosControls.egress${what}`]: value,
  };
}

const icmp = { action: 'Allow', ipVersion: 4, protocol: 'ICMP', icmp: { type: 8, code: 0 } };
const service = { services: { name: 'web', namespace: 'prod' } };
const http = { methods: ['GET'], paths: [{ exact: '/a' }, { prefix: '/b' }] };
const ports = { ports: [80, '8080:8090', 'http'], notPorts: [8081] };
const toPorts = { action: 'Allow', protocol: 'TCP', source: ports, destination: ports };
const policy = {
  ingress: [icmp, { ...toPorts, http }, { action: 'Allow', source: service }],
  egress: [icmp, toPorts, { action: 'Allow', destination: service }],
};
const denial = { applyOnForward: true, ingress: [{ action: 'Deny' }] };
const globalPolicies = [policy, { ...denial, preDNAT: true }, { ...denial, doNotTrack: true }];
const pods = {
  matchLabels: { app: 'web' },
  matchExpressions: [{ key: 'stage', operator: 'In', values: ['test', 'production'] }],
};
const peers = [
  { podSelector: pods, namespaceSelector: pods },
  { ipBlock: { cidr: '10.0.0.0/8', except: ['10.65.0.0/16'] } },
];

const bandwidths = [
  { setLinkBandwidth: { megabitsPerSecond: 25_000 } },
  { removeLinkBandwidth: {} },
];
const nextHops = {
  v4: { setNextHop: { value: '10.9.1.1' } },
  v6: { setNextHop: { value: 'fd00:9::1' } },
  own: { setNextHopSelf: {} },
};

/** Kind → specs with what cannot stand beside the rest, or only in pairs. */
export const FURTHER_SPECS: Readonly<Record<string, readonly object[]>> = {
  BGPFilter: [
    {
      importV4: [{ action: 'Accept', operations: [...bandwidths, nextHops.v4] }],
      importV6: [{ action: 'Accept', operations: [...bandwidths, nextHops.v6] }],
      exportV4: [{ action: 'Accept', operations: [...bandwidths, nextHops.v4, nextHops.own] }],
      exportV6: [{ action: 'Accept', operations: [...bandwidths, nextHops.v6, nextHops.own] }],
    },
  ],
  BGPConfiguration: [
    { nodeMeshPassword: { value: 'a password' } },
    { nodeMeshPassword: { file: '/etc/overland/p' } },
    { nodeMeshPassword: { secretKeyRef: { name: 'bgp', key: 'mesh', optional: true } } },
  ],
  BGPPeer: [
    { listenRange: { cidr: '10.9.0.0/16', limit: 10 }, asNumber: 65_014 },
    { interface: 'eth1', asNumber: 65_011, password: { value: 'a password' } },
    { localWorkloadSelector: 'all()', asNumber: 65_012, password: { file: '/etc/overland/p' } },
    {
      peerIP: '10.9.1.1',
      asNumber: 65_013,
      reachableBy: '10.9.1.2',
      password: { secretKeyRef: { name: 'bgp', key: 'rack1', optional: true } },
    },
  ],
  NetworkPolicy: [policy],
  GlobalNetworkPolicy: globalPolicies,
  StagedNetworkPolicy: [policy],
  StagedGlobalNetworkPolicy: globalPolicies,
  StagedKubernetesNetworkPolicy: [
    {
      podSelector: pods,
      ingress: [{ from: peers, ports: [{ protocol: 'TCP', port: 80, endPort: 90 }] }],
      egress: [{ to: peers, ports: [{ protocol: 'UDP', port: 53, endPort: 54 }] }],
    },
  ],
  Profile: [
    {
      ingress: [icmp, { ...toPorts, http }],
      egress: [icmp, toPorts],
      labelsToApply: { stage: 'production' },
    },
  ],
};
