import { type AnyResource, findKind, KINDS, type Kind } from '@overland/model';
import { describe, expect, test } from 'vitest';
import { columnNamed, columnTitles, kindColumns } from './kind-columns.ts';

/** What calicoctl understands and prints: aliases; columns; further columns, or all of them after `=`. */
const CALICOCTL: Readonly<Partial<Record<Kind, readonly [string, string, string]>>> = {
  BGPConfiguration: ['bgpconfig bgpconfigs', 'NAME LOGSEVERITY MESHENABLED ASNUMBER', ''],
  BGPFilter: ['bgpf bgpfs bf bfs', 'NAME EXPORTV4 IMPORTV4 EXPORTV6 IMPORTV6', ''],
  BGPPeer: ['bgpp bgpps bp bps', 'NAME PEERIP NODE ASN', ''],
  CalicoNodeStatus: ['nodestatus nodestatuses', 'NAME NODE', 'CLASSES'],
  ClusterInformation: [
    'clusterinfo clusterinfos',
    'NAME CLUSTERGUID CLUSTERTYPE CALICOVERSION DATASTOREREADY',
    '',
  ],
  FelixConfiguration: ['felixconfig felixconfigs', 'NAME', ''],
  GlobalNetworkPolicy: ['gnp gnps', 'NAME TIER', 'ORDER SELECTOR'],
  GlobalNetworkSet: ['gnetsets', 'NAME', 'NETS'],
  HostEndpoint: ['hep heps', 'NAME NODE', 'INTERFACE IPS PROFILES'],
  IPAMConfiguration: [
    'ipamconfig ipamconfigs',
    'NAME STRICTAFFINITY AUTOALLOCATEBLOCKS',
    'MAXBLOCKSPERHOST',
  ],
  IPPool: [
    'ipp ipps pool pools',
    'NAME CIDR SELECTOR',
    '=NAME CIDR NAT IPIPMODE VXLANMODE DISABLED DISABLEBGPEXPORT SELECTOR ASSIGNMENTMODE',
  ],
  IPReservation: ['reservation reservations', 'NAME', 'CIDRS'],
  KubeControllersConfiguration: ['kubecontrollersconfig kubecontrollersconfigs', 'NAME', ''],
  NetworkPolicy: ['policy np policies pol pols', 'NAME TIER', 'ORDER SELECTOR'],
  NetworkSet: ['netsets', 'NAME', 'NETS'],
  Node: ['no nos', 'NAME', 'ASN IPV4 IPV6'],
  Profile: ['pro pros', 'NAME', 'LABELS'],
  StagedGlobalNetworkPolicy: ['sgnp sgnps', 'NAME TIER', 'ORDER SELECTOR'],
  StagedKubernetesNetworkPolicy: [
    'stagedkubernetespolicy stagedkubernetespolicies sknp skpol skpols',
    'NAME',
    'PODSELECTOR',
  ],
  StagedNetworkPolicy: ['stagedpolicy snp spol spols', 'NAME TIER', 'ORDER SELECTOR'],
  Tier: ['tiers', 'NAME ORDER', ''],
  WorkloadEndpoint: [
    'wep weps',
    'WORKLOAD NODE NETWORKS INTERFACE',
    '=NAME WORKLOAD NODE NETWORKS INTERFACE PROFILES NATS',
  ],
};

const rows = Object.entries(CALICOCTL) as [Kind, readonly [string, string, string]][];

describe.each(rows)('%s', (kind, [aliases, narrow, wide]) => {
  test('is known by its aliases, its plural and its name, in any case', () => {
    const names = [...aliases.split(' '), KINDS[kind].plural, kind, kind.toUpperCase()];
    expect(names.map(findKind)).toEqual(names.map(() => kind));
  });

  test('has the columns of calicoctl', () => {
    const titles = (format: 'narrow' | 'wide') =>
      kindColumns(kind, format)
        .map(({ title }) => title)
        .join(' ');
    expect(titles('narrow')).toBe(narrow);
    expect(titles('wide')).toBe(wide.startsWith('=') ? wide.slice(1) : `${narrow} ${wide}`.trim());
  });
});

test('every kind has a table, and every column of it a cell', () => {
  for (const kind of Object.keys(KINDS) as Kind[]) {
    for (const title of columnTitles(kind)) {
      const empty = { kind, metadata: { name: 'a' }, spec: {} } as unknown as AnyResource;
      const cell = columnNamed(kind, title)?.cell(empty, { asNumber: '64512' });
      expect(typeof cell).toBe('string');
      if (title === 'NAME') expect(cell).toBe('a');
    }
  }
});

test.each([
  ['Node', 'ASN', { bgp: { asNumber: 65_011 } }, '65011'],
  ['Node', 'ASN', { bgp: { ipv4Address: '10.0.0.1/32' } }, '(64512)'],
  ['Node', 'ASN', {}, ''],
  ['BGPPeer', 'NODE', {}, '(global)'],
  ['BGPPeer', 'NODE', { nodeSelector: 'all()' }, 'all()'],
  ['BGPConfiguration', 'MESHENABLED', { nodeToNodeMeshEnabled: false }, 'false'],
  ['BGPConfiguration', 'MESHENABLED', {}, '-'],
  ['BGPFilter', 'EXPORTV4', { exportV4: [{}, {}] }, '2'],
  ['HostEndpoint', 'IPS', { expectedIPs: ['10.0.0.1', '10.0.0.2'] }, '10.0.0.1,10.0.0.2'],
  ['Profile', 'LABELS', { labelsToApply: { b: '2', a: '1' } }, 'a=1,b=2'],
  ['WorkloadEndpoint', 'WORKLOAD', { pod: 'web-1' }, 'web-1'],
  ['Tier', 'ORDER', {}, ''],
] as const)('%s %s of %j is %s', (kind, title, spec, expected) => {
  const resource = { kind, metadata: { name: 'a' }, spec } as unknown as AnyResource;
  expect(columnNamed(kind, title)?.cell(resource, { asNumber: '64512' })).toBe(expected);
});
