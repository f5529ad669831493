import type { ProgrammedPolicy } from '@overland/agent/client';
import {
  type EndpointPolicy,
  type PolicyEndpoint,
  type PolicyView,
  type ProgrammedDirection,
  type RuleList,
  ruleText,
} from '@overland/felix/policy';
import type { Labels } from '@overland/model';
import type { IpAddress } from '@overland/net';
import type { Colours } from '../colours.ts';

type ShownList = ProgrammedDirection['profiles'][number];

/** All that decides about an endpoint, as data. */
export interface ShownEndpoint {
  readonly name: string;
  readonly node: string;
  readonly addresses: readonly IpAddress[];
  readonly labels: Labels;
  readonly ingress: ProgrammedDirection;
  readonly egress: ProgrammedDirection;
}

export function endpointPolicyOf(endpoint: PolicyEndpoint, view: PolicyView): ShownEndpoint {
  const { name, node, addresses, labels } = endpoint;
  const list = ({ name: title, missing, rules }: RuleList): ShownList => ({
    name: title,
    ...(missing === undefined ? {} : { missing }),
    rules: rules.map((rule) => ruleText(rule, view.sets)),
  });
  const shown = ({ tiers, profiles }: EndpointPolicy): ProgrammedDirection => ({
    tiers: tiers.map((tier) => ({ ...tier, policies: tier.policies.map(list) })),
    profiles: profiles.map(list),
  });
  return {
    name,
    node,
    addresses,
    labels,
    ingress: shown(view.policyOf(endpoint, 'ingress')),
    egress: shown(view.policyOf(endpoint, 'egress')),
  };
}

export function endpointPolicyText(endpoint: ShownEndpoint, colours: Colours): string {
  const { name, node, addresses, labels } = endpoint;
  const head = [
    `${colours.bold(name)} on ${node}, ${addresses.join(', ') || 'no address'}`,
    `labels: ${Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .toSorted()
      .join(', ')}`,
  ];
  return `${[...head, ...directionsLines(endpoint, colours)].join('\n')}\n`;
}

/** The same as it is in the packet filter of this host. */
export function programmedPolicyText(
  { endpoint, packetFilter, synced, failures }: ProgrammedPolicy,
  colours: Colours,
): string {
  const { name, interfaceName, addresses } = endpoint;
  const state = synced ? '' : ' (not in sync with the datastore yet)';
  const head = [
    `${colours.bold(name)} at ${interfaceName}, ${addresses.join(', ') || 'no address'}`,
    `in ${packetFilter ?? 'no packet filter'}${state}`,
  ];
  const refused = failures.map(({ what, attempts, reason }) =>
    colours.red(`the kernel refuses ${what} (${attempts} times): ${reason}`),
  );
  const tail = refused.length > 0 ? ['', ...refused] : [];
  const staged = endpoint.staged
    ? [
        '',
        'with the staged policies, which are not enforced:',
        ...directionsLines(endpoint.staged, colours),
      ]
    : [];
  return `${[...head, ...directionsLines(endpoint, colours), ...staged, ...tail].join('\n')}\n`;
}

function directionsLines(
  endpoint: Pick<ShownEndpoint, 'ingress' | 'egress'>,
  colours: Colours,
): string[] {
  return (['ingress', 'egress'] as const).flatMap((direction) => [
    '',
    colours.bold(direction),
    ...directionLines(endpoint[direction]),
  ]);
}

function directionLines({ tiers, profiles }: ProgrammedDirection): string[] {
  const lines = tiers.flatMap(({ name, defaultAction, policies }) => [
    `  tier ${name}`,
    ...policies.flatMap(listLines),
    `    at its end: ${defaultAction}`,
  ]);
  if (profiles.length > 0) lines.push('  profiles', ...profiles.flatMap(listLines));
  return [...lines, '  at the end: Deny'];
}

function listLines({ name, missing, rules }: ShownList): string[] {
  const what = missing ?? (rules.length === 0 ? 'no rules' : undefined);
  return [
    `    ${name}${what === undefined ? '' : `: ${what}`}`,
    ...rules.map((rule, i) => `      ${i + 1}. ${rule}`),
  ];
}
