import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { policyChecks } from '../policy/policy-checks.ts';
import { kubernetesPolicyNames, networkPolicyName } from '../policy/policy-names.ts';
import { policyFields, withTypes } from '../policy/policy-schema.ts';
import { withTierLabel } from '../policy/tier-label.ts';

/** What traffic the workloads of one namespace may receive and send. */
export const networkPolicy = defineKind({
  kind: 'NetworkPolicy',
  summary: 'What traffic the workloads of one namespace that it selects may receive and send.',
  plural: 'networkpolicies',
  aliases: ['policy', 'np', 'policies', 'pol', 'pols'],
  namespaced: true,
  name: networkPolicyName,
  manifestName: kubernetesPolicyNames,
  spec: z.object(policyFields).transform(withTypes),
  complete: withTierLabel,
  rules: policyChecks,
});

export type NetworkPolicy = ResourceOf<typeof networkPolicy>;
