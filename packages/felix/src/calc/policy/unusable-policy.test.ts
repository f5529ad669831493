import { describe, expect, test } from 'vitest';
import { PolicyView } from './policy-view.ts';
import { unusablePolicy } from './unusable-policy.ts';

const readAs = (stored: unknown, kind: 'NetworkPolicy' | 'GlobalNetworkPolicy' = 'NetworkPolicy') =>
  unusablePolicy(
    kind,
    { name: 'p', namespace: kind === 'NetworkPolicy' ? 'prod' : undefined },
    { stored, fault: 'why' },
  );

describe('of a policy that cannot be read holds what can be read, and the rest is as wide as it can be', () => {
  test.each<[string, unknown, object]>([
    ['no JSON', undefined, { tier: 'default', selector: undefined, types: ['Ingress'] }],
    ['no object', 'text', { tier: 'default', types: ['Ingress'] }],
    [
      'rules',
      { spec: { tier: 't', order: 3, selector: 'has(a)', ingress: [{ action: 'Audit' }] } },
      { tier: 't', order: 3, selector: 'has(a)', types: ['Ingress'] },
    ],
    [
      'a selector',
      { spec: { selector: 'a ~ b', serviceAccountSelector: 'has(x)' } },
      { selector: undefined, serviceAccountSelector: 'has(x)' },
    ],
    ['an order', { spec: { order: 'first' } }, { order: Number.NEGATIVE_INFINITY }],
    ['a type', { spec: { types: ['Ingress', 'Both'] } }, { types: ['Ingress', 'Egress'] }],
    ['types', { spec: { types: ['Egress'] } }, { types: ['Egress'] }],
    ['a rule of egress', { spec: { egress: 'x' } }, { types: ['Egress'] }],
    ['rules of both', { spec: { egress: 'x', ingress: {} } }, { types: ['Ingress', 'Egress'] }],
  ])('%s', (_, stored, spec) => {
    expect(readAs(stored)).toMatchObject({ metadata: { namespace: 'prod' }, spec, fault: 'why' });
  });

  test('it has the name that it says, which older versions of Calico have not stored it by', () => {
    const stored = { metadata: { name: 'web' }, spec: {} };
    const name = { name: 'default.web', namespace: 'prod' };
    expect(unusablePolicy('NetworkPolicy', name, { stored, fault: 'why' }).metadata).toEqual({
      name: 'web',
      namespace: 'prod',
    });
  });

  test('where it is asked is read, too', () => {
    const stored = { spec: { doNotTrack: true, applyOnForward: true, namespaceSelector: 7 } };
    expect(readAs(stored, 'GlobalNetworkPolicy').spec).toMatchObject({
      doNotTrack: true,
      preDNAT: false,
      applyOnForward: true,
      namespaceSelector: undefined,
    });
  });
});

test('it is closed for whom it selects, and for nobody else', () => {
  const inputs = {
    tiers: [],
    staged: [],
    profiles: [],
    workloads: [],
    hostEndpoints: [],
    networkSets: [],
    felixConfigurations: [],
    nodes: [],
  };
  const view = new PolicyView({
    ...inputs,
    policies: [readAs({ spec: { selector: "app == 'a'" } })],
  });
  const of = (app: string) =>
    view.policyOf(
      {
        kind: 'workload',
        name: 'w',
        aliases: [],
        node: 'h1',
        interfaceName: 'cali1',
        labels: { app, 'projectcalico.org/namespace': 'prod' },
        addresses: [],
        nets: [],
        ports: [],
        profiles: [],
      },
      'ingress',
    ).tiers;
  expect(of('a')).toEqual([
    {
      name: 'default',
      defaultAction: 'Deny',
      policies: [{ name: 'NetworkPolicy prod/p', rules: [], missing: 'it cannot be read: why' }],
    },
  ]);
  expect(of('b')).toEqual([]);
});
