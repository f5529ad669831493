import type { Datastore, Operation } from '@overland/datastore';

/**
 * What a cluster of Calico hosts may leave in etcd, key by key, as Calico writes it: a host that is gone (h-gone), one that is there (h1), and every kind of drift that
 * its two-step writes, older versions and Go's JSON leave behind. Made by hand from the layout (libcalico-go/lib/backend/model).
 */
const SEQUENCE = '1789012345678901235';
const IPAM = '/calico/ipam/v2';
const RESOURCES = '/calico/resources/v3/projectcalico.org';
const CLAIMED_AT = '2026-01-05T10:00:00Z';

const free = (size: number, first: number): number[] =>
  Array.from({ length: size - first }, (_, i) => first + i);

function resource(kind: string, plural: string, name: string, spec: unknown): [string, unknown] {
  const metadata = { name, uid: '6f0c2f3e-0000-4000-8000-000000000000', resourceVersion: null };
  const [, object = name] = name.split('/');
  return [
    `${RESOURCES}/${plural}/${name}`,
    { kind, apiVersion: 'projectcalico.org/v3', metadata: { ...metadata, name: object }, spec },
  ];
}

const ENTRIES: readonly (readonly [key: string, value: unknown])[] = [
  resource('IPPool', 'ippools', 'default-ipv4-ippool', {
    cidr: '192.168.0.0/24',
    blockSize: 28,
    ipipMode: 'Never',
    vxlanMode: 'Never',
    nodeSelector: 'all()',
    allowedUses: ['Workload', 'Tunnel'],
  }),
  resource('Node', 'nodes', 'h1', { bgp: { ipv4Address: '10.0.0.1/24' } }),
  resource('WorkloadEndpoint', 'workloadendpoints', 'prod/h1-k8s-web-eth0', {
    orchestrator: 'k8s',
    node: 'h1',
    pod: 'web',
    endpoint: 'eth0',
    interfaceName: 'cali0123456789a',
    profiles: ['kns.prod'],
    ipNetworks: ['192.168.0.1/32'],
  }),
  [`${IPAM}/config`, { strict_affinity: false, auto_allocate_blocks: true }],
  [`${IPAM}/host/h1`, ''],
  // A block of h1: an endpoint's address, one whose handle was written with trailing text, one that cools down.
  [
    `${IPAM}/assignment/ipv4/block/192.168.0.0-28`,
    {
      cidr: '192.168.0.0/28',
      affinity: 'host:h1',
      affinity_claim_time: CLAIMED_AT,
      allocations: [null, 0, 1, 2, ...Array<null>(12).fill(null)],
      unallocated: [...free(16, 4), 0],
      attributes: [
        {
          handle_id: 'k8s-pod-network.web',
          secondary: { namespace: 'prod', node: 'h1', pod: 'web', timestamp: CLAIMED_AT },
        },
        { handle_id: 'k8s-pod-network.db\r\nold', secondary: { node: 'h1', pod: 'db' } },
        { handle_id: null, secondary: null, releasedAt: CLAIMED_AT },
      ],
      sequenceNumber: 'SEQUENCE',
      sequenceNumberForAllocation: { 1: 'SEQUENCE', 2: 'SEQUENCE', 3: 'SEQUENCE' },
      deleted: false,
    },
  ],
  // An empty value is of old and means confirmed.
  [`${IPAM}/host/h1/ipv4/block/192.168.0.0-28`, ''],
  // Of a host that is gone, in the form of old: hostAffinity, lists that are null, no sequence numbers.
  [
    `${IPAM}/assignment/ipv4/block/192.168.0.16-28`,
    {
      cidr: '192.168.0.16/28',
      affinity: null,
      hostAffinity: 'h-gone',
      strictAffinity: false,
      allocations: [0, ...Array<null>(15).fill(null)],
      unallocated: free(16, 1),
      attributes: [{ handle_id: 'k8s-pod-network.gone', secondary: { node: 'h-gone' } }],
      sequenceNumber: 0,
      sequenceNumberForAllocation: null,
      deleted: false,
    },
  ],
  [`${IPAM}/host/h-gone/ipv4/block/192.168.0.16-28`, { state: 'confirmed', deleted: false }],
  [
    `${IPAM}/assignment/ipv4/block/192.168.0.32-28`,
    {
      cidr: '192.168.0.32/28',
      affinity: 'host:h-gone',
      allocations: Array<null>(16).fill(null),
      unallocated: free(16, 0),
      attributes: null,
      sequenceNumber: 'SEQUENCE',
      sequenceNumberForAllocation: {},
      deleted: false,
    },
  ],
  [`${IPAM}/host/h-gone/ipv4/block/192.168.0.32-28`, { state: 'pendingDeletion', deleted: false }],
  // Claimed and never made; and lost to another host.
  [`${IPAM}/host/h1/ipv4/block/192.168.0.48-28`, { state: 'pending', deleted: false }],
  [`${IPAM}/host/h1/ipv4/block/192.168.0.16-28`, { state: 'pending', deleted: false }],
  // Made and never confirmed.
  [
    `${IPAM}/assignment/ipv4/block/192.168.0.64-28`,
    {
      cidr: '192.168.0.64/28',
      affinity: 'host:h1',
      allocations: [0, ...Array<null>(15).fill(null)],
      unallocated: free(16, 1),
      attributes: [
        { handle_id: 'ipip-tunnel-addr-h1', secondary: { node: 'h1', type: 'ipipTunnelAddress' } },
      ],
      sequenceNumber: 'SEQUENCE',
      sequenceNumberForAllocation: { 0: 'SEQUENCE' },
      deleted: false,
    },
  ],
  [`${IPAM}/host/h1/ipv4/block/192.168.0.64-28`, { state: 'pending', deleted: false }],
  // Of a pool that was deleted.
  [
    `${IPAM}/assignment/ipv4/block/172.16.0.0-28`,
    {
      cidr: '172.16.0.0/28',
      affinity: 'host:h1',
      allocations: Array<null>(16).fill(null),
      unallocated: free(16, 0),
      attributes: [],
      sequenceNumber: 'SEQUENCE',
      sequenceNumberForAllocation: {},
      deleted: false,
    },
  ],
  [`${IPAM}/host/h1/ipv4/block/172.16.0.0-28`, { state: 'confirmed', deleted: false }],
  // Handles: right, counted too high, of nothing at all, and one that is missing (k8s-pod-network.db).
  [`${IPAM}/handle/k8s-pod-network.web`, { block: { '192.168.0.0/28': 3 }, deleted: false }],
  [`${IPAM}/handle/k8s-pod-network.gone`, { block: { '192.168.0.16/28': 1 }, deleted: false }],
  [`${IPAM}/handle/k8s-pod-network.leaked`, { block: { '192.168.0.0/28': 2, '10.9.0.0/26': 1 } }],
  [`${IPAM}/handle/ipip-tunnel-addr-h1`, { block: { '192.168.0.64/28': 1 }, deleted: false }],
];

/** Stores all of it. */
export async function storeCalicoData(datastore: Datastore): Promise<void> {
  const operations = ENTRIES.map(([key, value]): Operation => {
    const text = value === '' ? '' : JSON.stringify(value).replaceAll('"SEQUENCE"', SEQUENCE);
    return { type: 'put', key, value: text };
  });
  await datastore.transact({ conditions: [], operations });
}
