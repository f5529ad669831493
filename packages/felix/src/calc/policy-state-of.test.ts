import { type AnyResource, completeResource, parseManifest } from '@overland/model';
import { expect, test } from 'vitest';
import type { PolicyInputs } from './policy/policy-inputs.ts';
import { PolicyView } from './policy/policy-view.ts';
import { listsOf, setsOf } from './policy-state.ts';
import { policyStateOf } from './policy-state-of.ts';

function resource(kind: string, metadata: object, spec: object): AnyResource {
  const manifest = { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
  return completeResource(parseManifest(manifest));
}

const workload = (node: string, name: string, address: string, spec: object = {}) =>
  resource(
    'WorkloadEndpoint',
    { namespace: 'prod', labels: { app: name } },
    {
      orchestrator: 'cni',
      node,
      containerID: name,
      endpoint: 'eth0',
      workload: name,
      interfaceName: `cali${name}`,
      ipNetworks: [`${address}/32`],
      ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
      ...spec,
    },
  );

const source = { selector: "app == 'a' || app == 'b'" };
const POLICY = resource(
  'NetworkPolicy',
  { name: 'p', namespace: 'prod' },
  {
    selector: "app == 'a'",
    types: ['Ingress'],
    ingress: [
      { action: 'Allow', protocol: 'TCP', source, destination: { ports: ['http'] } },
      { action: 'Deny', source: { selector: "net == 'office'", namespaceSelector: 'global()' } },
    ],
  },
);
const OFFICE = resource(
  'GlobalNetworkSet',
  { name: 'office', labels: { net: 'office' } },
  { nets: ['10.9.0.0/16', '10.8.0.1/32'] },
);

const stateOf = (given: Partial<Record<keyof PolicyInputs, readonly AnyResource[]>>) => {
  const inputs = {
    tiers: [],
    policies: [POLICY],
    staged: [],
    profiles: [],
    workloads: [],
    hostEndpoints: [],
    networkSets: [OFFICE],
    felixConfigurations: [],
    nodes: [],
    ...given,
  } as unknown as PolicyInputs;
  return policyStateOf(new PolicyView(inputs), 'h1');
};

test('own endpoints, the lists they are asked about, the sets of those with members of all hosts', () => {
  const { endpoints, lists, sets } = stateOf({
    workloads: [workload('h1', 'a', '10.65.0.1'), workload('h2', 'b', '10.65.1.1')],
  });
  expect([...endpoints]).toEqual([
    [
      'calia',
      {
        name: 'prod/h1-cni-a-eth0',
        addresses: ['10.65.0.1'],
        ingress: {
          tiers: [
            { name: 'default', defaultAction: 'Deny', lists: ['ingress NetworkPolicy prod/p'] },
          ],
          profiles: [],
        },
        egress: { tiers: [], profiles: [] },
        guard: expect.objectContaining({ hostPorts: [] }),
      },
    ],
  ]);
  expect([...endpoints.values()].flatMap(listsOf)).toEqual([...lists.keys()]);
  expect(new Set([...lists.values()].flatMap(setsOf))).toEqual(new Set(sets.keys()));
  const texts = [...sets.values()].map(
    ({ kind, members }) => `${kind} ${[...members].toSorted().join(', ')}`,
  );
  expect(texts.toSorted()).toEqual([
    'addresses 10.65.0.1, 10.65.1.1',
    'nets 10.8.0.1, 10.9.0.0/16',
    'ports 10.65.0.1 . 6 . 80, 10.65.1.1 . 6 . 80',
  ]);
});

test('what no endpoint of the host is asked about is left out', () => {
  const { endpoints, lists, sets } = stateOf({ workloads: [workload('h2', 'a', '10.65.1.1')] });
  expect([endpoints.size, lists.size, sets.size]).toEqual([0, 0, 0]);
});

test('of two endpoints with one interface the first by name stays; an interface of no workload is nobody’s', () => {
  const { endpoints } = stateOf({
    workloads: [
      workload('h1', 'b', '10.65.0.2', { interfaceName: 'calix' }),
      workload('h1', 'a', '10.65.0.1', { interfaceName: 'calix' }),
      workload('h1', 'c', '10.65.0.3', { interfaceName: 'eth0' }),
    ],
  });
  expect([...endpoints].map(([name, filter]) => [name, filter.name])).toEqual([
    ['calix', 'prod/h1-cni-a-eth0'],
  ]);
});
