import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { globalPolicyChecks, policyChecks } from '../policy/policy-checks.ts';
import { globalNetworkPolicyName } from '../policy/policy-names.ts';
import { globalPolicyFields, policyFields, withTypes } from '../policy/policy-schema.ts';
import { withTierLabel } from '../policy/tier-label.ts';

/** What traffic workloads of all namespaces, and hosts, may receive and send. */
export const globalNetworkPolicy = defineKind({
  kind: 'GlobalNetworkPolicy',
  summary:
    'What traffic the workloads of all namespaces and the hosts that it selects may receive and send.',
  plural: 'globalnetworkpolicies',
  aliases: ['gnp', 'gnps'],
  name: globalNetworkPolicyName,
  spec: z.object({ ...policyFields, ...globalPolicyFields }).transform(withTypes),
  complete: withTierLabel,
  rules: [...policyChecks, ...globalPolicyChecks],
});

export type GlobalNetworkPolicy = ResourceOf<typeof globalNetworkPolicy>;
