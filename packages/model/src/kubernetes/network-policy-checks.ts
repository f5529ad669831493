import { contains } from '@overland/net';
import type { Rule } from '../kind.ts';
import { isLabelKey, isLabelValue } from '../name-rules.ts';
import { isPortName } from '../policy/port.ts';
import {
  type KubernetesPolicySpec,
  type LabelSelector,
  type Peer,
  type PeerPort,
  peerRules,
} from './network-policy-schema.ts';

interface WithSpec {
  readonly spec: KubernetesPolicySpec;
}

type Broken = readonly string[];

const MAX_EXCEPT = 256;

/** What Kubernetes' own validation demands of a NetworkPolicy. Paths are those of the Kubernetes object. */
export const kubernetesPolicyChecks: readonly Rule<WithSpec>[] = [
  {
    path: 'spec.policyTypes',
    rule: 'must not name a type twice',
    check: ({ spec: { policyTypes = [] } }) => new Set(policyTypes).size === policyTypes.length,
  },
  onSelectors(
    'matchLabels',
    'must be labels: a key as example.org/name, a value of at most 63 letters, digits, "-", "_" and "."',
    ({ matchLabels = {} }) =>
      Object.entries(matchLabels).flatMap(([key, value]) =>
        isLabelKey(key) && isLabelValue(value) ? [] : [`matchLabels[${JSON.stringify(key)}]`],
      ),
  ),
  onSelectors(
    'matchExpressions[].key',
    'must be the key of a label, as example.org/name',
    ({ matchExpressions = [] }) =>
      matchExpressions.flatMap(({ key }, i) =>
        isLabelKey(key) ? [] : [`matchExpressions[${i}].key`],
      ),
  ),
  onSelectors(
    'matchExpressions[].values',
    'must have values with In and NotIn, and none with Exists and DoesNotExist',
    ({ matchExpressions = [] }) =>
      matchExpressions.flatMap(({ operator, values = [] }, i) =>
        operator.endsWith('In') === values.length > 0 ? [] : [`matchExpressions[${i}].values`],
      ),
  ),
  onSelectors(
    'matchExpressions[].values[]',
    'must be at most 63 letters, digits, "-", "_" and "."',
    ({ matchExpressions = [] }) =>
      matchExpressions.flatMap(({ values = [] }, i) =>
        values.flatMap((value, j) =>
          isLabelValue(value) ? [] : [`matchExpressions[${i}].values[${j}]`],
        ),
      ),
  ),
  onPeers(
    '',
    'must have podSelector, namespaceSelector or both; or ipBlock alone',
    ({ ipBlock, podSelector, namespaceSelector }) =>
      Boolean(ipBlock) === Boolean(podSelector ?? namespaceSelector) ? [''] : [],
  ),
  onPeers('ipBlock.except[]', 'must lie inside the cidr, and be smaller', ({ ipBlock }) =>
    (ipBlock?.except ?? []).flatMap((except, i) =>
      ipBlock && except !== ipBlock.cidr && contains(ipBlock.cidr, except)
        ? []
        : [`.ipBlock.except[${i}]`],
    ),
  ),
  onPeers('ipBlock.except', `must have at most ${MAX_EXCEPT} items`, ({ ipBlock }) =>
    (ipBlock?.except?.length ?? 0) > MAX_EXCEPT ? ['.ipBlock.except'] : [],
  ),
  onPorts(
    'port',
    'must be a number from 1 to 65535, or a port name of at most 15 of a to z, 0 to 9 and "-"',
    ({ port }) =>
      port === undefined || (typeof port === 'number' ? isPortNumber(port) : isPortName(port))
        ? []
        : ['.port'],
  ),
  onPorts(
    'endPort',
    'must be a number from port to 65535, with a port that is a number',
    ({ port, endPort }) =>
      endPort === undefined ||
      (typeof port === 'number' && endPort >= port && isPortNumber(endPort))
        ? []
        : ['.endPort'],
  ),
];

function isPortNumber(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** Paths and values of what each rule of either direction names. */
function eachPeer(spec: KubernetesPolicySpec): [path: string, peer: Peer][] {
  return (['ingress', 'egress'] as const).flatMap((direction) =>
    peerRules(spec, direction).flatMap(({ peers }, i) =>
      peers.map((peer, j): [string, Peer] => [
        `spec.${direction}[${i}].${direction === 'ingress' ? 'from' : 'to'}[${j}]`,
        peer,
      ]),
    ),
  );
}

function onPeers(about: string, rule: string, broken: (peer: Peer) => Broken): Rule<WithSpec> {
  return {
    path: `spec.ingress[].from[]${about && `.${about}`}`,
    rule,
    check: ({ spec }) =>
      eachPeer(spec).flatMap(([path, peer]) => broken(peer).map((at) => path + at)),
  };
}

function onPorts(about: string, rule: string, broken: (port: PeerPort) => Broken): Rule<WithSpec> {
  return {
    path: `spec.ingress[].ports[].${about}`,
    rule,
    check: ({ spec }) =>
      (['ingress', 'egress'] as const).flatMap((direction) =>
        peerRules(spec, direction).flatMap(({ ports }, i) =>
          ports.flatMap((port, j) =>
            broken(port).map((at) => `spec.${direction}[${i}].ports[${j}]${at}`),
          ),
        ),
      ),
  };
}

function onSelectors(
  about: string,
  rule: string,
  broken: (selector: LabelSelector) => Broken,
): Rule<WithSpec> {
  return {
    path: `spec.podSelector.${about}`,
    rule,
    check: ({ spec }) => {
      const all: [string, LabelSelector | undefined][] = [['spec.podSelector', spec.podSelector]];
      for (const [path, peer] of eachPeer(spec)) {
        all.push(
          [`${path}.podSelector`, peer.podSelector],
          [`${path}.namespaceSelector`, peer.namespaceSelector],
        );
      }
      return all.flatMap(([path, selector]) =>
        selector ? broken(selector).map((at) => `${path}.${at}`) : [],
      );
    },
  };
}
