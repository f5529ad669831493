import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { policyChecks, stagedPolicyChecks } from '../policy/policy-checks.ts';
import { kubernetesPolicyNames, networkPolicyName } from '../policy/policy-names.ts';
import { policyFields, stagedAction, withTypes } from '../policy/policy-schema.ts';
import { withTierLabel } from '../policy/tier-label.ts';

/** A NetworkPolicy that is not enforced yet. */
export const stagedNetworkPolicy = defineKind({
  kind: 'StagedNetworkPolicy',
  summary: 'A NetworkPolicy, or the removal of one, to be looked at before it is enforced.',
  plural: 'stagednetworkpolicies',
  aliases: ['stagedpolicy', 'snp', 'snps', 'spol', 'spols'],
  namespaced: true,
  name: networkPolicyName,
  manifestName: kubernetesPolicyNames,
  spec: z.object({ stagedAction, ...policyFields }).transform(withTypes),
  complete: withTierLabel,
  rules: [...policyChecks, ...stagedPolicyChecks],
});

export type StagedNetworkPolicy = ResourceOf<typeof stagedNetworkPolicy>;
