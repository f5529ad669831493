import { ORCHESTRATOR_LABEL } from '../labels/label-names.ts';
import { KUBERNETES_POLICY_PREFIX } from '../policy/policy-names.ts';
import type { PolicyType } from '../policy/policy-schema.ts';
import { formatPort, type Port } from '../policy/port.ts';
import type { PolicyRule, RuleSide } from '../policy/rule-schema.ts';
import { API_VERSION, type Metadata } from '../resource.ts';
import {
  type KubernetesPolicySpec,
  type LabelSelector,
  type Peer,
  type PeerPort,
  type PeerRule,
  peerRules,
} from './network-policy-schema.ts';

/** Where converted policies stand among others. */
const ORDER = 1000;
/** Ports that one rule may name. */
const MAX_PORTS = 50;

interface KubernetesPolicy {
  readonly metadata: Metadata;
  readonly spec: KubernetesPolicySpec;
}

/**
 * The NetworkPolicy of projectcalico.org that does the same, as Calico's own controllers would convert it: each
 * rule becomes one rule per protocol and peer. Labels and annotations are kept.
 */
export function convertNetworkPolicy({
  metadata,
  spec,
}: KubernetesPolicy): Record<string, unknown> {
  const { name, namespace = 'default', labels, annotations } = metadata;
  const [ingress, egress] = (['ingress', 'egress'] as const).map((direction) =>
    peerRules(spec, direction).flatMap((rule) => convertRule(rule, direction)),
  );
  return {
    apiVersion: API_VERSION,
    kind: 'NetworkPolicy',
    metadata: {
      name: KUBERNETES_POLICY_PREFIX + name,
      namespace,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
    },
    spec: {
      tier: 'default',
      order: ORDER,
      selector: podSelector(spec.podSelector),
      types: policyTypes(spec),
      ...(ingress?.length && { ingress }),
      ...(egress?.length && { egress }),
    },
  };
}

/** Kubernetes' default: every policy is about ingress; those with rules for egress are about that as well. */
function policyTypes({ policyTypes = [], egress = [] }: KubernetesPolicySpec): PolicyType[] {
  const given =
    policyTypes.length > 0 ? policyTypes : ['Ingress', ...(egress.length > 0 ? ['Egress'] : [])];
  return (['Ingress', 'Egress'] as const).filter((type) => given.includes(type));
}

function convertRule({ peers, ports }: PeerRule, direction: 'ingress' | 'egress'): PolicyRule[] {
  const sides = peers.length > 0 ? peers.map(convertPeer) : [{}];
  return portsByProtocol(ports).flatMap(({ protocol, ports: numbers }) =>
    sides.map((side): PolicyRule => {
      const withPorts = numbers && { ports: numbers };
      const rule = { action: 'Allow' as const, ...(protocol && { protocol }) };
      return direction === 'ingress'
        ? { ...rule, source: side, destination: { ...withPorts } }
        : { ...rule, destination: { ...side, ...withPorts } };
    }),
  );
}

function convertPeer({ ipBlock, podSelector: pods, namespaceSelector }: Peer): RuleSide {
  if (ipBlock) {
    const { cidr, except = [] } = ipBlock;
    return { nets: [cidr], ...(except.length > 0 && { notNets: except }) };
  }
  return {
    selector: podSelector(pods),
    ...(namespaceSelector && { namespaceSelector: selectorText(namespaceSelector) || 'all()' }),
  };
}

/** Pods are told from other workloads; without labels to match, all of them are meant. */
function podSelector(selector: LabelSelector | undefined): string {
  const pods = `${ORCHESTRATOR_LABEL} == 'k8s'`;
  const text = selector ? selectorText(selector) : '';
  return text ? `${pods} && ${text}` : pods;
}

/** A label selector in our language, spelt as Calico spells it; empty if it selects everything. */
function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.entries(matchLabels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key} == '${value}'`);
  return [...labels, ...matchExpressions.map(expressionText)].join(' && ');
}

type LabelExpression = NonNullable<LabelSelector['matchExpressions']>[number];

function expressionText({ key, operator, values = [] }: LabelExpression): string {
  const set = `{ ${values.map((value) => `'${value}'`).join(', ')} }`;
  switch (operator) {
    case 'In':
      return `${key} in ${set}`;
    case 'NotIn':
      return `${key} not in ${set}`;
    case 'Exists':
      return `has(${key})`;
    case 'DoesNotExist':
      return `! has(${key})`;
  }
}

interface ProtocolPorts {
  /** All protocols if there is none. */
  readonly protocol?: PeerPort['protocol'];
  /** All ports if there are none. */
  readonly ports?: Port[];
}

/** One entry for each protocol, in order of their names; more where a rule cannot hold all ports. */
function portsByProtocol(ports: readonly PeerPort[]): ProtocolPorts[] {
  if (ports.length === 0) return [{}];
  const protocols = [...new Set(ports.map(({ protocol }) => protocol))].toSorted();
  return protocols.flatMap((protocol): ProtocolPorts[] => {
    const own = ports.filter((each) => each.protocol === protocol);
    if (own.some(({ port }) => port === undefined)) return [{ protocol }];
    const merged = mergePorts(own);
    return Array.from({ length: Math.ceil(merged.length / MAX_PORTS) }, (_, i) => {
      return { protocol, ports: merged.slice(i * MAX_PORTS, (i + 1) * MAX_PORTS) };
    });
  });
}

/** Names, then as few ranges as hold all the numbers. */
function mergePorts(ports: readonly PeerPort[]): Port[] {
  const names = ports.flatMap(({ port }) => (typeof port === 'string' ? [port] : []));
  const ranges: { first: number; last: number }[] = [];
  const numbers = ports.flatMap(({ port, endPort }) =>
    typeof port === 'number' ? [{ first: port, last: endPort ?? port }] : [],
  );
  for (const range of numbers.toSorted((a, b) => a.first - b.first)) {
    const previous = ranges.at(-1);
    if (previous && range.first <= previous.last + 1) {
      previous.last = Math.max(previous.last, range.last);
    } else {
      ranges.push({ ...range });
    }
  }
  return [...new Set(names), ...ranges.map((range) => formatPort({ type: 'range', ...range }))];
}
