import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { networkSetChecks, networkSetSpec } from '../policy/network-set-parts.ts';

/** Addresses outside the cluster that policies can select by label. */
export const globalNetworkSet = defineKind({
  kind: 'GlobalNetworkSet',
  summary: 'Addresses outside the cluster under labels, for policies to select.',
  plural: 'globalnetworksets',
  aliases: ['gnetset', 'gnetsets'],
  name: subdomainName,
  spec: networkSetSpec,
  rules: networkSetChecks,
});

export type GlobalNetworkSet = ResourceOf<typeof globalNetworkSet>;
