import type {
  GlobalNetworkPolicy,
  NetworkPolicy,
  Profile,
  WorkloadEndpoint,
} from '@overland/model';

/** Sizes of a cluster. */
export interface ClusterSize {
  readonly endpoints: number;
  /** Of the measured node. */
  readonly local: number;
  readonly policies: number;
  /** Whether every endpoint has a label that no other has, as pods of a StatefulSet do. */
  readonly isEachUnique: boolean;
}

const NAMESPACES = 200;
const APPS = 2000;
const ROLES = 5;
export const NODE = 'node-0';

/** The endpoint with a number. Those of the measured node come first. @param change Another one gives other labels. */
export function endpointOf(i: number, size: ClusterSize, change = 0): WorkloadEndpoint {
  const name = `node--${i}-cni-${i.toString(16).padStart(12, '0')}-eth0`;
  const isLocal = i < size.local;
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'WorkloadEndpoint',
    metadata: {
      name,
      namespace: `ns${i % NAMESPACES}`,
      labels: {
        app: `app${i % APPS}`,
        role: `r${(Math.floor(i / APPS) + change) % ROLES}`,
        release: `v${i % 3}`,
        ...(isLocal && { group: `g${i}` }),
        ...(size.isEachUnique && { instance: `i${i}` }),
        'projectcalico.org/namespace': `ns${i % NAMESPACES}`,
        'projectcalico.org/orchestrator': 'cni',
      },
    },
    spec: {
      node: isLocal ? NODE : `node-${1 + (i % 1000)}`,
      orchestrator: 'cni',
      containerID: i.toString(16),
      endpoint: 'eth0',
      interfaceName: `cali${i.toString(16)}`,
      ipNetworks: [`10.${64 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}/32`],
      profiles: [`kns.ns${i % NAMESPACES}`, 'projectcalico-default-allow'],
    },
  } as unknown as WorkloadEndpoint;
}

/** Profiles of the namespaces, which their endpoints inherit labels from. */
export function profiles(): Profile[] {
  return Array.from(
    { length: NAMESPACES },
    (_, i): Profile => ({
      apiVersion: 'projectcalico.org/v3',
      kind: 'Profile',
      metadata: { name: `kns.ns${i}` },
      spec: {
        labelsToApply: { 'pcns.projectcalico.org/name': `ns${i}`, 'pcns.team': `t${i % 20}` },
      },
    }),
  );
}

/**
 * The policy with a number: about one endpoint of the measured node, with two rules of a set each, so that every policy
 * and every set of the cluster is in use. @param port What one of the rules allows.
 */
export function policyOf(i: number, { local }: ClusterSize, port = 80): GlobalNetworkPolicy {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: `policy-${i}` },
    spec: {
      tier: 'default',
      order: i % 100,
      selector: `group == 'g${i % local}'`,
      types: ['Ingress', 'Egress'],
      ingress: [
        {
          action: 'Allow',
          protocol: 'TCP',
          source: { selector: selectorOf(2 * i) },
          destination: { ports: [port] },
        },
      ],
      egress: [
        { action: 'Allow', protocol: 'TCP', destination: { selector: selectorOf(2 * i + 1) } },
      ],
    },
  } satisfies Partial<NetworkPolicy | GlobalNetworkPolicy> as GlobalNetworkPolicy;
}

/** One selects everything, every fiftieth some 400, the others some 40 of 100,000. */
function selectorOf(i: number): string {
  if (i === 1) return 'has(app)';
  const other = `role != 'r${Math.floor(i / APPS) % ROLES}'`;
  return i % 50 === 0
    ? `projectcalico.org/namespace == 'ns${(i / 50) % NAMESPACES}' && ${other}`
    : `app == 'app${i % APPS}' && ${other}`;
}
