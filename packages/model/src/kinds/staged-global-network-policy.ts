import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { globalPolicyChecks, policyChecks, stagedPolicyChecks } from '../policy/policy-checks.ts';
import { globalNetworkPolicyName } from '../policy/policy-names.ts';
import {
  globalPolicyFields,
  policyFields,
  stagedAction,
  withTypes,
} from '../policy/policy-schema.ts';
import { withTierLabel } from '../policy/tier-label.ts';

/** A GlobalNetworkPolicy that is not enforced yet. */
export const stagedGlobalNetworkPolicy = defineKind({
  kind: 'StagedGlobalNetworkPolicy',
  summary: 'A GlobalNetworkPolicy, or the removal of one, to be looked at before it is enforced.',
  plural: 'stagedglobalnetworkpolicies',
  aliases: ['sgnp', 'sgnps'],
  name: globalNetworkPolicyName,
  spec: z.object({ stagedAction, ...policyFields, ...globalPolicyFields }).transform(withTypes),
  complete: withTierLabel,
  rules: [...policyChecks, ...globalPolicyChecks, ...stagedPolicyChecks],
});

export type StagedGlobalNetworkPolicy = ResourceOf<typeof stagedGlobalNetworkPolicy>;
