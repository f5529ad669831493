import { z } from 'zod';
import { defineKind, type ResourceOf } from '../kind.ts';
import { kubernetesPolicyChecks } from '../kubernetes/network-policy-checks.ts';
import { kubernetesPolicyFields } from '../kubernetes/network-policy-schema.ts';
import { subdomainName } from '../name-rules.ts';
import { stagedPolicyChecks } from '../policy/policy-checks.ts';
import { stagedAction } from '../policy/policy-schema.ts';

/** A NetworkPolicy of Kubernetes that is not enforced yet. */
export const stagedKubernetesNetworkPolicy = defineKind({
  kind: 'StagedKubernetesNetworkPolicy',
  summary:
    'A NetworkPolicy of Kubernetes, or the removal of one, to be looked at before it is enforced.',
  plural: 'stagedkubernetesnetworkpolicies',
  aliases: [
    'stagedkubernetespolicy',
    'stagedkubernetespolicies',
    'sknp',
    'sknps',
    'skpol',
    'skpols',
  ],
  namespaced: true,
  name: subdomainName,
  spec: z.object({ stagedAction, ...kubernetesPolicyFields }),
  rules: [...kubernetesPolicyChecks, ...stagedPolicyChecks],
});

export type StagedKubernetesNetworkPolicy = ResourceOf<typeof stagedKubernetesNetworkPolicy>;
