import type { AnyResource, Kind } from '@overland/model';
import { parseJsonPath, textOf } from './json-path.ts';

/** One column of a kind. */
export interface KindColumn {
  readonly title: string;
  readonly cell: (resource: AnyResource, cluster: ClusterValues) => string;
}

/** What the cells of some kinds take from elsewhere. */
export interface ClusterValues {
  /** The AS number of nodes that do not say theirs. */
  readonly asNumber: string;
}

/** Columns by title: what stands there, as calicoctl's tables have it; lists joined by commas, nothing for nothing. */
type Cells = Readonly<Record<string, string | KindColumn['cell']>>;

interface Columns {
  /** `ps`, the default. */
  readonly narrow: readonly string[];
  readonly wide: readonly string[];
  readonly cells: Cells;
}

/** What stands at a path, joined by commas. */
function at(path: string): KindColumn['cell'] {
  const find = parseJsonPath(path);
  return (resource) => find(resource).map(textOf).join(',');
}

/** The first of several cells that is not empty. */
function either(...cells: readonly KindColumn['cell'][]): KindColumn['cell'] {
  return (resource, cluster) => {
    for (const cell of cells) {
      const text = cell(resource, cluster);
      if (text !== '') return text;
    }
    return '';
  };
}

/** How many items a list has. */
function count(path: string): KindColumn['cell'] {
  const find = parseJsonPath(`${path}[*]`);
  return (resource) => String(find(resource).length);
}

/** `key=value` pairs of a map. */
function pairs(path: string): KindColumn['cell'] {
  const find = parseJsonPath(path);
  return (resource) =>
    Object.entries((find(resource)[0] ?? {}) as Record<string, unknown>)
      .map(([key, value]) => `${key}=${textOf(value)}`)
      .toSorted()
      .join(',');
}

const hasBgp = parseJsonPath('.spec.bgp');

const POLICY: Columns = {
  narrow: ['NAME', 'TIER'],
  wide: ['NAME', 'TIER', 'ORDER', 'SELECTOR'],
  cells: { TIER: '.spec.tier', ORDER: '.spec.order', SELECTOR: '.spec.selector' },
};

const same = (titles: readonly string[], cells: Cells): Columns => ({
  narrow: titles,
  wide: titles,
  cells,
});

/** calicoctl's columns; those of kinds that it does not list are ours. */
const COLUMNS: Readonly<Partial<Record<Kind, Columns>>> = {
  BGPConfiguration: same(['NAME', 'LOGSEVERITY', 'MESHENABLED', 'ASNUMBER'], {
    LOGSEVERITY: '.spec.logSeverityScreen',
    MESHENABLED: either(at('.spec.nodeToNodeMeshEnabled'), () => '-'),
    ASNUMBER: either(at('.spec.asNumber'), () => '-'),
  }),
  BGPFilter: same(['NAME', 'EXPORTV4', 'IMPORTV4', 'EXPORTV6', 'IMPORTV6'], {
    EXPORTV4: count('.spec.exportV4'),
    IMPORTV4: count('.spec.importV4'),
    EXPORTV6: count('.spec.exportV6'),
    IMPORTV6: count('.spec.importV6'),
  }),
  BGPPeer: same(['NAME', 'PEERIP', 'NODE', 'ASN'], {
    PEERIP: '.spec.peerIP',
    NODE: either(at('.spec.node'), at('.spec.nodeSelector'), () => '(global)'),
    ASN: '.spec.asNumber',
  }),
  BlockAffinity: same(['NAME', 'NODE', 'CIDR', 'STATE', 'TYPE'], {
    NODE: '.spec.node',
    CIDR: '.spec.cidr',
    STATE: '.spec.state',
    TYPE: '.spec.type',
  }),
  CalicoNodeStatus: {
    narrow: ['NAME', 'NODE'],
    wide: ['NAME', 'NODE', 'CLASSES'],
    cells: { NODE: '.spec.node', CLASSES: '.spec.classes[*]' },
  },
  ClusterInformation: same(
    ['NAME', 'CLUSTERGUID', 'CLUSTERTYPE', 'CALICOVERSION', 'DATASTOREREADY'],
    {
      CLUSTERGUID: '.spec.clusterGUID',
      CLUSTERTYPE: '.spec.clusterType',
      CALICOVERSION: '.spec.calicoVersion',
      DATASTOREREADY: '.spec.datastoreReady',
    },
  ),
  GlobalNetworkPolicy: POLICY,
  GlobalNetworkSet: {
    narrow: ['NAME'],
    wide: ['NAME', 'NETS'],
    cells: { NETS: '.spec.nets[*]' },
  },
  HostEndpoint: {
    narrow: ['NAME', 'NODE'],
    wide: ['NAME', 'NODE', 'INTERFACE', 'IPS', 'PROFILES'],
    cells: {
      NODE: '.spec.node',
      INTERFACE: '.spec.interfaceName',
      IPS: '.spec.expectedIPs[*]',
      PROFILES: '.spec.profiles[*]',
    },
  },
  IPAMBlock: same(['NAME', 'CIDR', 'AFFINITY'], { CIDR: '.spec.cidr', AFFINITY: '.spec.affinity' }),
  IPAMConfiguration: {
    narrow: ['NAME', 'STRICTAFFINITY', 'AUTOALLOCATEBLOCKS'],
    wide: ['NAME', 'STRICTAFFINITY', 'AUTOALLOCATEBLOCKS', 'MAXBLOCKSPERHOST'],
    cells: {
      STRICTAFFINITY: '.spec.strictAffinity',
      AUTOALLOCATEBLOCKS: '.spec.autoAllocateBlocks',
      MAXBLOCKSPERHOST: '.spec.maxBlocksPerHost',
    },
  },
  IPPool: {
    narrow: ['NAME', 'CIDR', 'SELECTOR'],
    wide: [
      'NAME',
      'CIDR',
      'NAT',
      'IPIPMODE',
      'VXLANMODE',
      'DISABLED',
      'DISABLEBGPEXPORT',
      'SELECTOR',
      'ASSIGNMENTMODE',
    ],
    cells: {
      CIDR: '.spec.cidr',
      NAT: '.spec.natOutgoing',
      IPIPMODE: either(at('.spec.ipipMode'), () => 'Never'),
      VXLANMODE: either(at('.spec.vxlanMode'), () => 'Never'),
      DISABLED: '.spec.disabled',
      DISABLEBGPEXPORT: '.spec.disableBGPExport',
      SELECTOR: '.spec.nodeSelector',
      ASSIGNMENTMODE: '.spec.assignmentMode',
    },
  },
  IPReservation: {
    narrow: ['NAME'],
    wide: ['NAME', 'CIDRS'],
    cells: { CIDRS: '.spec.reservedCIDRs[*]' },
  },
  NetworkPolicy: POLICY,
  NetworkSet: { narrow: ['NAME'], wide: ['NAME', 'NETS'], cells: { NETS: '.spec.nets[*]' } },
  Node: {
    narrow: ['NAME'],
    wide: ['NAME', 'ASN', 'IPV4', 'IPV6'],
    cells: {
      ASN: either(at('.spec.bgp.asNumber'), (resource, { asNumber }) =>
        hasBgp(resource).length > 0 ? `(${asNumber})` : '',
      ),
      IPV4: '.spec.bgp.ipv4Address',
      IPV6: '.spec.bgp.ipv6Address',
    },
  },
  Profile: {
    narrow: ['NAME'],
    wide: ['NAME', 'LABELS'],
    cells: { LABELS: pairs('.spec.labelsToApply') },
  },
  StagedGlobalNetworkPolicy: POLICY,
  StagedKubernetesNetworkPolicy: {
    narrow: ['NAME'],
    wide: ['NAME', 'PODSELECTOR'],
    cells: { PODSELECTOR: '.spec.podSelector' },
  },
  StagedNetworkPolicy: POLICY,
  Tier: same(['NAME', 'ORDER'], { ORDER: '.spec.order' }),
  WorkloadEndpoint: {
    narrow: ['WORKLOAD', 'NODE', 'NETWORKS', 'INTERFACE'],
    wide: ['NAME', 'WORKLOAD', 'NODE', 'NETWORKS', 'INTERFACE', 'PROFILES', 'NATS'],
    cells: {
      WORKLOAD: either(at('.spec.workload'), at('.spec.pod')),
      NODE: '.spec.node',
      ORCHESTRATOR: '.spec.orchestrator',
      NETWORKS: '.spec.ipNetworks[*]',
      INTERFACE: '.spec.interfaceName',
      PROFILES: '.spec.profiles[*]',
      NATS: '.spec.ipNATs[*]',
    },
  },
};

const EVERY_KIND: Cells = { NAME: '.metadata.name', NAMESPACE: '.metadata.namespace' };
const NAME_ALONE: Columns = same(['NAME'], {});

/** The columns of a kind's table. */
export function kindColumns(kind: Kind, format: 'narrow' | 'wide'): KindColumn[] {
  const { cells, [format]: titles } = COLUMNS[kind] ?? NAME_ALONE;
  return titles.map((title) => columnOf(title, cells));
}

/** A column of a kind by its title, in any case; `undefined` if the kind has none of it. */
export function columnNamed(kind: Kind, typed: string): KindColumn | undefined {
  const { cells } = COLUMNS[kind] ?? NAME_ALONE;
  const title = typed.toUpperCase();
  const isKnown = Object.hasOwn(cells, title) || Object.hasOwn(EVERY_KIND, title);
  return isKnown ? columnOf(title, cells) : undefined;
}

/** Titles that {@link columnNamed} knows. */
export function columnTitles(kind: Kind): string[] {
  const { wide, cells } = COLUMNS[kind] ?? NAME_ALONE;
  return [...new Set([...wide, ...Object.keys(cells), 'NAME'])];
}

function columnOf(title: string, cells: Cells): KindColumn {
  const cell = cells[title] ?? EVERY_KIND[title] ?? '';
  return { title, cell: typeof cell === 'function' ? cell : at(cell) };
}
