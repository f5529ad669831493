import { type AnyResource, completeResource, parseManifest } from '@overland/model';
import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import type { PolicyInputs } from '../policy/policy-inputs.ts';
import { PolicyView } from '../policy/policy-view.ts';
import { policyStateOf } from '../policy-state-of.ts';
import { renderHost } from './render-host.ts';

function resource(kind: string, metadata: object, spec: object): AnyResource {
  const manifest = { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
  return completeResource(parseManifest(manifest));
}

const endpoint = (name: string, spec: object) =>
  resource('HostEndpoint', { name }, { node: 'h1', ...spec });
const policy = (name: string, spec: object) =>
  resource('GlobalNetworkPolicy', { name }, { selector: 'all()', ...spec });

function rendered(hostEndpoints: AnyResource[], policies: AnyResource[] = []) {
  const inputs = {
    ...{ tiers: [], staged: [], profiles: [], workloads: [], networkSets: [], nodes: [] },
    ...{ policies, hostEndpoints, felixConfigurations: [] },
  } as unknown as PolicyInputs;
  const { host } = policyStateOf(new PolicyView(inputs), 'h1');
  if (!host) throw new Error('no host');
  return renderHost(host, LINKS);
}

const LINKS = new Map([
  ['eth0', [parseAddress('10.0.0.1')]],
  ['eth1', [parseAddress('10.0.1.1'), parseAddress('fd00::1')]],
]);

test('without endpoints there is nothing but what becomes of packets of workloads to the host', () => {
  const { chains, sets } = rendered([]);
  expect([...chains.keys()]).toEqual(['workload-to-host']);
  expect(sets.size).toBe(0);
});

test('places at which nobody asks have no chain', () => {
  const { chains } = rendered([endpoint('a', { interfaceName: 'eth0' })]);
  const hooked = [...chains].flatMap(([name, { hook }]) => (hook ? [name] : []));
  expect(hooked).toEqual(['host-in', 'host-out', 'workload-to-host']);
});

test('an endpoint without an interface is on the one that has its address; the first by name wins', () => {
  const { sets } = rendered([
    endpoint('c', { interfaceName: 'eth0', expectedIPs: ['10.0.1.1'] }),
    endpoint('b', { expectedIPs: ['fd00::1'] }),
    endpoint('a', { expectedIPs: ['192.0.2.1'] }),
    endpoint('d', { interfaceName: 'eth1' }),
    endpoint('e', { interfaceName: 'eth7' }),
  ]);
  expect(
    sets
      .get('host-in')
      ?.elements.map(({ key }) => key)
      .toSorted(),
  ).toEqual(['eth0', 'eth1', 'eth7']);
});

test('what is for every interface is not for one with an endpoint of its own, also where that has no policy', () => {
  const all = [
    endpoint('all', { interfaceName: '*', ports: [] }),
    endpoint('own', { interfaceName: 'eth0' }),
  ];
  const forward = policy('p', { applyOnForward: true, types: ['Ingress'] });
  // Of endpoints without labels a selector can tell only by name, so both are asked here, and none there.
  const { chains } = rendered(all, [forward]);
  expect(chains.get('forward-in/dispatch')?.rules).toEqual([
    'iifname vmap @forward-in',
    'goto forward-in/every',
  ]);
  const onlyAll = { ...forward, spec: { ...forward.spec, selector: "for == 'all'" } };
  const labelled = [
    resource(
      'HostEndpoint',
      { name: 'all', labels: { for: 'all' } },
      { node: 'h1', interfaceName: '*' },
    ),
    endpoint('own', { interfaceName: 'eth0' }),
  ];
  const { sets } = rendered(labelled, [onlyAll as AnyResource]);
  expect(sets.get('forward-in')?.elements).toEqual([{ key: 'eth0', verdict: 'return' }]);
});

test.each([
  ['untracked-in/link-eth0', { doNotTrack: true }],
  ['prednat-in/link-eth0', { preDNAT: true }],
  ['host-in/link-eth0', {}],
])('failsafe ports come before everything else in %s', (chain, scope) => {
  const early = policy('p', { ...scope, applyOnForward: true, types: ['Ingress'] });
  const { chains } = rendered([endpoint('a', { interfaceName: 'eth0' })], [early]);
  expect(chains.get(chain)?.rules[0]).toBe('jump failsafe-in');
  expect(chains.get('failsafe-in')?.rules).toContain('meta l4proto 6 th dport 22 accept');
  expect(chains.get('failsafe-in')?.rules).toContain('meta l4proto 6 th dport 179 accept');
});
