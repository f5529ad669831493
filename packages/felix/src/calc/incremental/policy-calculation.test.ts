import type { AnyResource, Kind } from '@overland/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PolicyInputs } from '../policy/policy-inputs.ts';
import { PolicyView } from '../policy/policy-view.ts';
import {
  applyChange,
  emptyPolicyState,
  isEmptyChange,
  type PolicyChange,
} from '../policy-change.ts';
import { listsOf, listsOfRef, type PolicyState, setsOf } from '../policy-state.ts';
import { policyStateOf } from '../policy-state-of.ts';
import { PolicyCalculation } from './policy-calculation.ts';

const NODE = 'h1';
const RUNS = process.env.OVERLAND_SOAK ? 10_000 : 200;

/** What may be done to a calculation. */
type Deed =
  | { readonly type: 'put'; readonly resource: AnyResource }
  | { readonly type: 'delete'; readonly resource: AnyResource }
  | { readonly type: 'step'; readonly units: number }
  | { readonly type: 'flush'; readonly members: number };

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
    node: fc.constantFrom(NODE, NODE, 'h2'),
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
const resource: fc.Arbitrary<AnyResource> = fc.oneof(
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
      node: fc.constantFrom(NODE, 'h2'),
      interfaceName: fc.constantFrom('*', 'eth0', undefined),
      expectedIPs: fc.uniqueArray(address, { maxLength: 2 }),
      profiles: fc.array(profileName, { maxLength: 1 }),
    })
    .map(({ name, labels: own, ...spec }) =>
      resourceOf('HostEndpoint', { name, labels: own }, spec),
    ),
  fc
    .record({
      name: fc.constantFrom('default', `node.${NODE}`, 'node.h2'),
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
      name: fc.constantFrom(NODE, 'h2'),
      bgp: optional(
        fc.constantFrom({ ipv4Address: '192.0.2.1/24' }, { ipv6Address: 'fd00::1/64' }),
      ),
    })
    .map(({ name, ...spec }) => resourceOf('Node', { name }, spec)),
  fc
    .record({ name: fc.constantFrom('s', 't'), namespace, labels, nets })
    .map(({ name, namespace: place, labels: own, nets: held }) =>
      resourceOf('NetworkSet', { name, namespace: place, labels: own }, { nets: held }),
    ),
  fc
    .record({ name: fc.constantFrom('s', 't'), labels, nets })
    .map(({ name, labels: own, nets: held }) =>
      resourceOf('GlobalNetworkSet', { name, labels: own }, { nets: held }),
    ),
);

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 12, arbitrary: resource.map((each): Deed => ({ type: 'put', resource: each })) },
  { weight: 4, arbitrary: resource.map((each): Deed => ({ type: 'delete', resource: each })) },
  { weight: 2, arbitrary: fc.nat(20).map((units): Deed => ({ type: 'step', units })) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1, 3, 1e6).map((members): Deed => ({ type: 'flush', members })),
  },
);

const keyOf = ({ kind, metadata }: AnyResource) =>
  `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

/** A calculation, the state that its changes lead to, and the resources that there are. */
class Subject {
  readonly calculation = new PolicyCalculation(NODE);
  readonly state = emptyPolicyState();
  readonly resources = new Map<string, AnyResource>();

  do(deed: Deed): void {
    if (deed.type === 'step') this.calculation.step(deed.units);
    else if (deed.type === 'flush') this.flush(deed.members);
    else this.#update(deed);
  }

  #update({ type, resource: each }: Extract<Deed, { resource: AnyResource }>): void {
    const { kind, metadata } = each;
    if (type === 'put') this.resources.set(keyOf(each), each);
    else this.resources.delete(keyOf(each));
    this.calculation.update(kind, metadata, type === 'put' ? each : undefined);
  }

  flush(members = Number.POSITIVE_INFINITY): PolicyChange[] {
    const changes: PolicyChange[] = [];
    do {
      const change = this.calculation.flush({ synced: true, members });
      changes.push(change);
      applyChange(this.state, change);
      expectWhole(this.state);
      expect(change.synced).toBe(!this.calculation.hasMore);
    } while (this.calculation.hasMore);
    return changes;
  }
}

/** Whatever an endpoint or a list refers to is there. */
function expectWhole({ endpoints, lists, sets, host }: PolicyState): void {
  const places = (host?.endpoints ?? []).flatMap((endpoint) => endpoint.places);
  const asked = [
    ...[...endpoints.values()].flatMap(listsOf),
    ...places.flatMap(({ policy }) => listsOfRef(policy)),
  ];
  const missingLists = asked.filter((id) => !lists.has(id));
  const missingSets = [...lists.values()].flatMap(setsOf).filter((id) => !sets.has(id));
  expect([...missingLists, ...missingSets]).toEqual([]);
}

function fromScratch(resources: ReadonlyMap<string, AnyResource>): PolicyState {
  const of = (...kinds: Kind[]) =>
    [...resources.values()].filter(({ kind }) => kinds.includes(kind));
  const inputs = {
    tiers: of('Tier'),
    policies: of('NetworkPolicy', 'GlobalNetworkPolicy'),
    staged: [],
    profiles: of('Profile'),
    workloads: of('WorkloadEndpoint'),
    hostEndpoints: of('HostEndpoint'),
    networkSets: of('NetworkSet', 'GlobalNetworkSet'),
    felixConfigurations: of('FelixConfiguration'),
    pools: of('IPPool'),
    nodes: of('Node'),
  } as unknown as PolicyInputs;
  return policyStateOf(new PolicyView(inputs), NODE);
}

const parameters = { numRuns: RUNS, ...(process.env.OVERLAND_SOAK ? {} : { seed: 6 }) };
const deeds = fc.array(deed, { minLength: 10, maxLength: 80, size: 'max' });

test('after any changes the state is the one that is worked out from scratch', () => {
  fc.assert(
    fc.property(deeds, (given) => {
      const subject = new Subject();
      for (const each of given) {
        subject.do(each);
        if (each.type === 'flush') {
          expect(subject.state).toEqual(fromScratch(subject.resources));
        }
      }
      subject.flush();
      expect(subject.state).toEqual(fromScratch(subject.resources));
    }),
    parameters,
  );
});

test('the way to a state does not matter: reordered, split, squashed, repeated, there and back, restarted', () => {
  fc.assert(
    fc.property(
      deeds,
      fc.array(resource, { maxLength: 8 }),
      fc.infiniteStream(fc.nat()),
      (given, others, numbers) => {
        const subject = new Subject();
        for (const each of given) subject.do(each);
        subject.flush();
        const resources = [...subject.resources.values()];
        const put = (each: AnyResource): Deed => ({ type: 'put', resource: each });
        const remove = (each: AnyResource): Deed => ({ type: 'delete', resource: each });
        const draw = () => numbers.next().value;
        const shuffled = resources
          .map((each) => ({ each, at: draw() }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ each }) => each);
        const flush: Deed = { type: 'flush', members: 1 };
        const ways: Deed[][] = [
          shuffled.map(put),
          shuffled.flatMap((each) => [put(each), { type: 'step', units: draw() % 5 }, flush]),
          shuffled.flatMap((each) => [put(each), put(each), remove(each), put(each)]),
          [...others.map(put), flush, ...others.map(remove), ...shuffled.map(put)],
          [
            ...shuffled.map(put),
            flush,
            ...others.map(put),
            ...others.map(remove),
            ...resources.map(put),
          ],
        ];
        for (const way of ways) {
          const restarted = new Subject();
          for (const each of way) restarted.do(each);
          restarted.flush();
          expect(restarted.state).toEqual(subject.state);
        }
      },
    ),
    { ...parameters, numRuns: Math.ceil(RUNS / 3) },
  );
});

test('what changes nothing tells nothing', () => {
  fc.assert(
    fc.property(deeds, resource, (given, other) => {
      const subject = new Subject();
      for (const each of given) subject.do(each);
      subject.flush();
      const kept = subject.resources.get(keyOf(other));
      subject.do({ type: 'put', resource: other });
      subject.do(kept ? { type: 'put', resource: kept } : { type: 'delete', resource: other });
      for (const each of subject.resources.values()) subject.do({ type: 'put', resource: each });
      expect(subject.flush().filter((change) => !isEmptyChange(change))).toEqual([]);
    }),
    { ...parameters, numRuns: Math.ceil(RUNS / 3) },
  );
});
