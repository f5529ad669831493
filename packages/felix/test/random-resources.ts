import type { AnyResource, Kind } from '@overland/model';
import fc from 'fast-check';
import type { PolicyInputs } from '../src/calc/policy/policy-inputs.ts';
import { unusableNetworkSet } from '../src/calc/policy/unusable-network-set.ts';
import { unusablePolicy } from '../src/calc/policy/unusable-policy.ts';

/** The node that some of the endpoints are of. */
export const OWN_NODE = 'h1';

/** Tells resources of all kinds apart. */
export const keyOf = ({ kind, metadata }: AnyResource): string =>
  `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

/** What the calculation from scratch is given. */
export function policyInputsOf(given: Iterable<AnyResource>): PolicyInputs {
  const resources = [...given];
  const of = (...kinds: Kind[]) => resources.filter(({ kind }) => kinds.includes(kind));
  return {
    tiers: of('Tier'),
    policies: of('NetworkPolicy', 'GlobalNetworkPolicy'),
    staged: of('StagedNetworkPolicy', 'StagedGlobalNetworkPolicy'),
    profiles: of('Profile'),
    workloads: of('WorkloadEndpoint'),
    hostEndpoints: of('HostEndpoint'),
    networkSets: of('NetworkSet', 'GlobalNetworkSet'),
    felixConfigurations: of('FelixConfiguration'),
    pools: of('IPPool'),
    nodes: of('Node'),
  } as unknown as PolicyInputs;
}

const labelKey = fc.constantFrom('app', 'role', 'zone');
const labelValue = fc.constantFrom('a', 'b', 'c');
const labels = fc.dictionary(labelKey, labelValue, { maxKeys: 3 });
const namespace = fc.constantFrom('prod', 'test');
const profileName = fc.constantFrom(
  'kns.prod',
  'kns.test',
  'p',
  'q',
  'projectcalico-default-allow',
);
const selector = fc
  .oneof(
    { weight: 4, arbitrary: fc.tuple(labelKey, labelValue).map(([k, v]) => `${k} == '${v}'`) },
    fc.tuple(labelKey, labelValue).map(([k, v]) => `${k} != '${v}'`),
    fc
      .tuple(
        labelKey,
        fc.uniqueArray(labelValue, { maxLength: 3 }),
        fc.constantFrom('in', 'not in'),
      )
      .map(([k, values, word]) => `${k} ${word} {${values.map((v) => `'${v}'`).join(', ')}}`),
    labelKey.map((k) => `has(${k})`),
    labelKey.map((k) => `!has(${k})`),
    fc.tuple(labelKey, labelValue).map(([k, v]) => `${k} starts with '${v}'`),
    fc.constant('all()'),
    fc.constant("projectcalico.org/orchestrator == 'cni'"),
  )
  .chain((one) =>
    fc.oneof(
      fc.constant(one),
      labelKey.map((k) => `${one} && has(${k})`),
      fc.tuple(labelKey, labelValue).map(([k, v]) => `${one} || ${k} == '${v}'`),
      fc.constant(`!(${one})`),
    ),
  );
const address = fc.nat(5).map((i) => `10.65.0.${i}`);
const port = fc.oneof(fc.constantFrom(80, '90:99'), fc.constantFrom('http', 'dns'));

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const side = fc.record(
  {
    nets: fc.constant(['10.0.0.0/8']),
    selector,
    notSelector: selector,
    namespaceSelector: fc.constantFrom('all()', 'global()', "team == 'x'"),
    ports: fc.array(port, { minLength: 1, maxLength: 2 }),
    notPorts: fc.array(port, { maxLength: 1 }),
    serviceAccounts: fc.constant({ names: ['web'] }),
  },
  { requiredKeys: [] },
);
const rule = fc.record(
  {
    action: fc.constantFrom('Allow', 'Deny', 'Log', 'Pass'),
    protocol: fc.constant('TCP'),
    source: side,
    destination: side,
  },
  { requiredKeys: ['action'] },
);
const rules = fc.array(rule, { maxLength: 2 });
const tierName = fc.constantFrom('default', 'early', 'late', 'kube-baseline');

function resourceOf(kind: Kind, metadata: object, spec: object): AnyResource {
  // As it comes out of JSON: what is undefined is absent.
  return JSON.parse(JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata, spec }));
}

const policySpec = {
  tier: tierName,
  order: optional(fc.constantFrom(1, 2)),
  selector: optional(selector),
  types: fc.subarray(['Ingress', 'Egress'], { minLength: 1 }),
  ingress: rules,
  egress: rules,
};
const workload = fc
  .record({
    name: fc.constantFrom('w1', 'w2', 'w3', 'w4'),
    namespace,
    labels,
    node: fc.constantFrom(OWN_NODE, OWN_NODE, 'h2'),
    interfaceName: fc.constantFrom('cali1', 'cali2', 'cali3', 'cali4', 'eth0'),
    addresses: fc.uniqueArray(address, { maxLength: 2 }),
    profiles: fc.array(profileName, { maxLength: 2 }),
    serviceAccountName: optional(fc.constant('web')),
    ports: fc.array(
      fc.record({
        name: fc.constantFrom('http', 'dns'),
        protocol: fc.constantFrom('TCP', 'UDP'),
        port: fc.constantFrom(80, 53),
        hostPort: optional(fc.constant(8080)),
      }),
      { maxLength: 2 },
    ),
  })
  .map(({ name, namespace: place, labels: own, addresses, ...spec }) =>
    resourceOf(
      'WorkloadEndpoint',
      { name, namespace: place, labels: own },
      { ...spec, orchestrator: 'cni', ipNetworks: addresses.map((each) => `${each}/32`) },
    ),
  );
const nets = fc.uniqueArray(
  fc.oneof(
    address.map((each) => `${each}/32`),
    fc.constantFrom('10.65.0.0/24', '10.9.0.0/16', '2001:db8::/64', '2001:db8::1/128'),
  ),
  { maxLength: 3 },
);
/** Resources of all kinds that decide about policy, of few names, so that they often concern each other. */
export const randomResource: fc.Arbitrary<AnyResource> = fc.oneof(
  { weight: 4, arbitrary: workload },
  {
    weight: 3,
    arbitrary: fc
      .record({ name: fc.constantFrom('p', 'q'), namespace, spec: fc.record(policySpec) })
      .map(({ name, namespace: place, spec }) =>
        resourceOf('NetworkPolicy', { name, namespace: place }, spec),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        name: fc.constantFrom('g', 'h'),
        spec: fc.record({
          ...policySpec,
          namespaceSelector: optional(fc.constantFrom('all()', "team == 'x'")),
          place: fc.constantFrom(undefined, undefined, 'doNotTrack', 'preDNAT'),
          applyOnForward: optional(fc.constant(true)),
        }),
      })
      .map(({ name, spec: { place, ...spec } }) =>
        resourceOf(
          'GlobalNetworkPolicy',
          { name },
          { ...spec, ...(place ? { [place]: true, applyOnForward: true } : {}) },
        ),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        name: profileName,
        ingress: rules,
        egress: rules,
        labelsToApply: optional(
          fc.oneof(labels, fc.constant({ 'pcns.team': 'x' }), fc.constant({ 'pcns.team': 'y' })),
        ),
      })
      .map(({ name, ...spec }) => resourceOf('Profile', { name }, spec)),
  },
  fc
    .record({
      name: tierName,
      order: optional(fc.constantFrom(1, 2)),
      defaultAction: fc.constantFrom('Deny', 'Pass'),
    })
    .map(({ name, ...spec }) => resourceOf('Tier', { name }, spec)),
  fc
    .record({
      name: fc.constantFrom('e', 'f'),
      labels,
      node: fc.constantFrom(OWN_NODE, 'h2'),
      interfaceName: fc.constantFrom('*', 'eth0', undefined),
      expectedIPs: fc.uniqueArray(address, { maxLength: 2 }),
      profiles: fc.array(profileName, { maxLength: 1 }),
    })
    .map(({ name, labels: own, ...spec }) =>
      resourceOf('HostEndpoint', { name, labels: own }, spec),
    ),
  fc
    .record({ namespace, spec: fc.record({ ...policySpec, types: fc.constant(['Both']) }) })
    .map(({ namespace: place, spec }) =>
      unusablePolicy(
        'NetworkPolicy',
        { name: 'p', namespace: place },
        { stored: { spec }, fault: 'no such type' },
      ),
    ) as fc.Arbitrary<AnyResource>,
  fc
    .record({
      name: fc.constantFrom('default', `node.${OWN_NODE}`, 'node.h2', 'some', 'others'),
      nodeSelector: optional(selector),
      defaultEndpointToHostAction: optional(fc.constantFrom('Accept', 'Return')),
      failsafeInboundHostPorts: optional(fc.constant([{ protocol: 'TCP', port: 22 }])),
      floatingIPs: optional(fc.constant('Enabled')),
      natOutgoingExclusions: optional(fc.constant('IPPoolsAndHostIPs')),
    })
    .map(({ name, ...spec }) => resourceOf('FelixConfiguration', { name }, spec)),
  fc
    .record({
      name: fc.constantFrom('pool-a', 'pool-b'),
      cidr: fc.constantFrom('10.65.0.0/24', '10.66.0.0/24'),
      natOutgoing: fc.boolean(),
    })
    .map(({ name, ...spec }) => resourceOf('IPPool', { name }, spec)),
  fc
    .record({
      name: fc.constantFrom(OWN_NODE, 'h2'),
      bgp: optional(
        fc.constantFrom({ ipv4Address: '192.0.2.1/24' }, { ipv6Address: 'fd00::1/64' }),
      ),
    })
    .chain(({ name, ...spec }) =>
      labels.map((own) => resourceOf('Node', { name, labels: own }, spec)),
    ),
  fc
    .record({ name: fc.constantFrom('s', 't'), namespace, labels, nets })
    .map(({ name, namespace: place, labels: own, nets: held }) =>
      resourceOf('NetworkSet', { name, namespace: place, labels: own }, { nets: held }),
    ),
  fc
    .record({ name: fc.constantFrom('s', 't'), labels: fc.oneof(labels, fc.constant('none')) })
    .map(({ name, ...metadata }) =>
      unusableNetworkSet(
        'GlobalNetworkSet',
        { name },
        { stored: { metadata }, fault: 'no such net' },
      ),
    ) as fc.Arbitrary<AnyResource>,
  fc
    .record({ name: fc.constantFrom('s', 't'), labels, nets })
    .map(({ name, labels: own, nets: held }) =>
      resourceOf('GlobalNetworkSet', { name, labels: own }, { nets: held }),
    ),
);
