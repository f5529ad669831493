import { defineKind, type ResourceOf } from '../kind.ts';
import { subdomainName } from '../name-rules.ts';
import { networkSetChecks, networkSetSpec } from '../policy/network-set-parts.ts';

/** Addresses outside the cluster that policies of one namespace can select by label. */
export const networkSet = defineKind({
  kind: 'NetworkSet',
  summary: 'Addresses outside the cluster under labels, for policies of one namespace to select.',
  plural: 'networksets',
  aliases: ['netset', 'netsets'],
  namespaced: true,
  name: subdomainName,
  spec: networkSetSpec,
  rules: networkSetChecks,
});

export type NetworkSet = ResourceOf<typeof networkSet>;
