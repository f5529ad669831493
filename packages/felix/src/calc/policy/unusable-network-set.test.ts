import {
  completeResource,
  type NetworkPolicy,
  type PolicyRule,
  parseManifest,
} from '@overland/model';
import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { judgePacket } from './judge-packet.ts';
import type { PolicyInputs } from './policy-inputs.ts';
import { type EndpointPolicy, PolicyView } from './policy-view.ts';
import { unusableNetworkSet } from './unusable-network-set.ts';

const OFFICE = { selector: "role == 'office'" };
const NOT_OFFICE = { notSelector: "role == 'office'" };
const OTHER = { selector: "role == 'other'" };
const labelled = { metadata: { labels: { role: 'office' } } };

/** What becomes of a packet from somewhere, by one rule, where the network set cannot be read. */
function judge(rule: Pick<PolicyRule, 'action' | 'source'>, stored: unknown = labelled): string {
  const policy = completeResource(
    parseManifest({
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkPolicy',
      metadata: { name: 'p', namespace: 'prod' },
      spec: {
        types: ['Ingress'],
        ingress: [
          { action: rule.action, source: { namespaceSelector: 'global()', ...rule.source } },
          { action: rule.action === 'Deny' ? 'Allow' : 'Deny' },
        ],
      },
    }),
  ) as NetworkPolicy;
  const set = unusableNetworkSet('GlobalNetworkSet', { name: 's' }, { stored, fault: 'why' });
  const none = { tiers: [], staged: [], profiles: [], workloads: [], hostEndpoints: [] };
  const inputs: PolicyInputs = {
    ...{ ...none, nodes: [], felixConfigurations: [] },
    policies: [policy],
    networkSets: [set],
  };
  const view = new PolicyView(inputs);
  const endpoint = {
    kind: 'workload',
    ...{ name: 'w', aliases: [], node: 'h1', interfaceName: 'cali1' },
    ...{ addresses: [], nets: [], ports: [], profiles: [] },
    labels: { 'projectcalico.org/namespace': 'prod' },
  } as const;
  const asked: EndpointPolicy = view.policyOf(endpoint, 'ingress');
  const packet = {
    source: parseAddress('192.0.2.1'),
    destination: parseAddress('10.65.0.1'),
    protocol: 6,
    destinationPort: 80,
  };
  return judgePacket(asked, { direction: 'ingress' }, packet, view.sets).decision.action;
}

test.each([
  ['Deny from it denies whoever may be in it', 'Deny', OFFICE, 'deny'],
  ['Deny from others than it denies all', 'Deny', NOT_OFFICE, 'deny'],
  ['Allow from it allows nobody', 'Allow', OFFICE, 'deny'],
  ['Allow from others than it allows nobody', 'Allow', NOT_OFFICE, 'deny'],
  ['Pass of what may be in it denies', 'Pass', OFFICE, 'deny'],
  ['Deny from another set is as it was', 'Deny', OTHER, 'allow'],
] as const)('%s', (_, action, source, expected) => {
  expect(judge({ action, source })).toBe(expected);
});

test('without labels that can be read, any selector may select it', () => {
  for (const stored of [null, 'text', { metadata: { labels: { role: 7 } } }]) {
    expect(judge({ action: 'Deny', source: OTHER }, stored)).toBe('deny');
  }
});
