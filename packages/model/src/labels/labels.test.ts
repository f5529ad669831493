import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HostEndpoint } from '../kinds/host-endpoint.ts';
import type { NetworkSet } from '../kinds/network-set.ts';
import type { WorkloadEndpoint } from '../kinds/workload-endpoint.ts';
import { parseManifest } from '../manifest.ts';
import { formatSelector, type Labels, matches } from '../selector/expression.ts';
import {
  endpointLabels,
  namespaceLabels,
  namespaceProfileName,
  networkSetLabels,
  serviceAccountLabels,
  serviceAccountProfileName,
} from './effective-labels.ts';
import { policySelector, sideSelector } from './policy-selectors.ts';

const PROFILES: Record<string, Labels> = {
  [namespaceProfileName('prod')]: namespaceLabels('prod', { env: 'prod', team: 'a' }),
  [serviceAccountProfileName('prod', 'api')]: serviceAccountLabels('api', { role: 'x' }),
  first: { app: 'from first', tier: 'from first' },
  second: { tier: 'from second', zone: 'from second' },
};
const profileLabels = (name: string) => PROFILES[name];

function manifest(kind: string, metadata: object, spec: object) {
  return parseManifest({ apiVersion: 'projectcalico.org/v3', kind, metadata, spec });
}

function workload(spec: object = {}, labels: object = {}): WorkloadEndpoint {
  const identity = { node: 'h', orchestrator: 'k8s', pod: 'web', endpoint: 'eth0' };
  const metadata = { namespace: 'prod', labels };
  return manifest('WorkloadEndpoint', metadata, { ...identity, ...spec }) as WorkloadEndpoint;
}

function host(labels: object, profiles: string[] = []): HostEndpoint {
  const spec = { node: 'h', interfaceName: 'eth0', profiles };
  return manifest('HostEndpoint', { name: 'h-eth0', labels }, spec) as HostEndpoint;
}

describe('labels of an endpoint', () => {
  test('come from its place, from itself, and from its namespace and service account', () => {
    const endpoint = workload(
      { serviceAccountName: 'api', profiles: ['kns.prod', 'ksa.prod.api'] },
      { app: 'web' },
    );
    expect(endpointLabels(endpoint, profileLabels)).toEqual({
      app: 'web',
      'projectcalico.org/namespace': 'prod',
      'projectcalico.org/orchestrator': 'k8s',
      'projectcalico.org/serviceaccount': 'api',
      'pcns.env': 'prod',
      'pcns.team': 'a',
      'pcns.projectcalico.org/name': 'prod',
      'pcsa.role': 'x',
      'pcsa.projectcalico.org/name': 'api',
    });
  });

  test('its own win over those of profiles, the first profile over the second', () => {
    const profiles = ['first', 'absent', 'second'];
    expect(endpointLabels(host({ app: 'own' }, profiles), profileLabels)).toEqual({
      app: 'own',
      tier: 'from first',
      zone: 'from second',
    });
    const reversed = profiles.toReversed();
    expect(endpointLabels(host({}, reversed), profileLabels)).toMatchObject({
      tier: 'from second',
    });
  });

  test('a host has no namespace, and no workload can claim another one', () => {
    expect(endpointLabels(host({}), profileLabels)).toEqual({});
    const liar = workload();
    const labels = { ...liar.metadata.labels, 'projectcalico.org/namespace': 'kube-system' };
    const endpoint = { ...liar, metadata: { ...liar.metadata, labels } };
    expect(endpointLabels(endpoint, profileLabels)['projectcalico.org/namespace']).toBe('prod');
  });
});

test('labels of a network set name it, and its namespace', () => {
  const nets = { nets: ['10.0.0.0/8'] };
  const labels = { a: 'b' };
  const own = manifest(
    'NetworkSet',
    { name: 'set', namespace: 'prod', labels },
    nets,
  ) as NetworkSet;
  expect(networkSetLabels(own, profileLabels)).toEqual({
    a: 'b',
    'projectcalico.org/name': 'set',
    'projectcalico.org/namespace': 'prod',
    'pcns.env': 'prod',
    'pcns.team': 'a',
    'pcns.projectcalico.org/name': 'prod',
  });
  const global = manifest('GlobalNetworkSet', { name: 'set', labels }, nets);
  expect(networkSetLabels(global as never, profileLabels)).toEqual({
    a: 'b',
    'projectcalico.org/name': 'set',
  });
});

describe('which endpoints a policy is about', () => {
  test.each([
    ['prod', {}, 'projectcalico.org/namespace == "prod"'],
    ['prod', { selector: "a == 'b'" }, '(a == "b" && projectcalico.org/namespace == "prod")'],
    [
      'prod',
      { selector: "a == 'b' || has(c)", serviceAccountSelector: "role == 'x' && !has(y)" },
      '((a == "b" || has(c)) && projectcalico.org/namespace == "prod" && (pcsa.role == "x" && !has(pcsa.y)))',
    ],
    [undefined, {}, 'all()'],
    [undefined, { selector: 'all()' }, 'all()'],
    [undefined, { namespaceSelector: "env in {'a'}" }, 'pcns.env in {"a"}'],
    [
      undefined,
      { selector: 'all()', namespaceSelector: 'all()' },
      '(all() && has(projectcalico.org/namespace))',
    ],
    [undefined, { serviceAccountSelector: 'all()' }, 'has(projectcalico.org/serviceaccount)'],
    [
      undefined,
      { selector: "a == 'all()'", namespaceSelector: "b == 'all()'" },
      '(a == "all()" && pcns.b == "all()")',
    ],
  ])('namespace %s, %j: %s', (namespace, spec, wanted) => {
    expect(formatSelector(policySelector({ metadata: { namespace }, spec }))).toBe(wanted);
  });
});

describe('which endpoints a side of a rule is about', () => {
  const OWN = 'projectcalico.org/namespace == "prod"';
  test.each([
    ['prod', {}, undefined],
    ['prod', { nets: ['10.0.0.0/8'], ports: [80], notNets: [], notPorts: ['http'] }, undefined],
    ['prod', { selector: 'has(a)' }, `(${OWN} && has(a))`],
    ['prod', { notSelector: 'has(a)' }, OWN],
    [
      'prod',
      { serviceAccounts: { names: ['b', 'a', 'b'] } },
      `(${OWN} && projectcalico.org/serviceaccount in {"a", "b"})`,
    ],
    ['prod', { serviceAccounts: {} }, undefined],
    [
      'prod',
      { serviceAccounts: { names: ['a'], selector: 'has(x)' }, selector: 'has(a)' },
      `(${OWN} && (has(pcsa.x) && projectcalico.org/serviceaccount in {"a"}) && has(a))`,
    ],
    ['prod', { namespaceSelector: "env == 'x'" }, 'pcns.env == "x"'],
    ['prod', { namespaceSelector: 'all()' }, 'has(projectcalico.org/namespace)'],
    ['prod', { namespaceSelector: 'global()' }, '!has(projectcalico.org/namespace)'],
    [
      'prod',
      { namespaceSelector: "projectcalico.org/name == 'x'", selector: 'has(a)' },
      '(pcns.projectcalico.org/name == "x" && has(a))',
    ],
    [
      'prod',
      { namespaceSelector: 'global()', notSelector: 'has(a)' },
      '!has(projectcalico.org/namespace)',
    ],
    [undefined, { selector: 'has(a)' }, 'has(a)'],
    [undefined, { notSelector: 'has(a)' }, undefined],
    [undefined, { namespaceSelector: "a == 'all() global()'" }, 'pcns.a == "all() global()"'],
    [undefined, { services: { name: 's', namespace: 'n' } }, undefined],
  ])('namespace %s, %j: %s', (namespace, side, wanted) => {
    const selector = sideSelector(side as never, namespace);
    expect(selector && formatSelector(selector)).toBe(wanted);
  });
});

test('a policy of a namespace is about nothing outside it', () => {
  const text = fc.constantFrom('', 'all()', 'has(a)', '!has(a)', "a != 'b'", "a == 'b' || has(c)");
  const labels = fc.dictionary(fc.constantFrom('a', 'c', 'pcsa.a'), fc.constantFrom('b', 'd'), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(text, text, labels, (selector, serviceAccountSelector, own) => {
      const spec = { selector, serviceAccountSelector };
      const about = policySelector({ metadata: { namespace: 'prod' }, spec });
      const elsewhere = { ...own, 'projectcalico.org/namespace': 'test' };
      expect(matches(about, elsewhere)).toBe(false);
      expect(matches(about, own)).toBe(false);
    }),
  );
});
