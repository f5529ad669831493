import { z } from 'zod';
import { subdomainName } from '../name-rules.ts';
import { KUBERNETES_POLICY_PREFIX, networkPolicyName } from '../policy/policy-names.ts';
import { ifReadable, readableParts } from '../readable-parts.ts';
import { metadataSchema } from '../resource.ts';
import { parseWith, unknownFields, withoutNulls } from '../schema.ts';
import { objectFaults } from '../validate.ts';
import type { Fault } from '../validation.ts';
import { convertNetworkPolicy } from './convert-network-policy.ts';
import { kubernetesPolicyChecks } from './network-policy-checks.ts';
import { kubernetesPolicyFields } from './network-policy-schema.ts';

/** The group and version of Kubernetes' own NetworkPolicy. */
export const KUBERNETES_POLICY_VERSION = 'networking.k8s.io/v1';

const kubernetesPolicy = z.object({
  apiVersion: z.literal(KUBERNETES_POLICY_VERSION),
  kind: z.literal('NetworkPolicy'),
  metadata: metadataSchema,
  spec: z.object(kubernetesPolicyFields).prefault({}),
  status: z.record(z.string(), z.unknown()).optional(),
});

const table = {
  kind: 'NetworkPolicy',
  namespaced: true,
  rules: kubernetesPolicyChecks,
  name: {
    rule: `${subdomainName.rule}, and leave room for ${KUBERNETES_POLICY_PREFIX} before it`,
    holds: (name: string) =>
      subdomainName.holds(name) && networkPolicyName.holds(KUBERNETES_POLICY_PREFIX + name),
  },
};

/**
 * Reads a NetworkPolicy of Kubernetes strictly, and converts it.
 *
 * @returns The manifest of a NetworkPolicy of projectcalico.org; or what is wrong, with paths of the Kubernetes object.
 */
export function readKubernetesPolicy(
  value: unknown,
): { readonly converted: Record<string, unknown> } | { readonly faults: readonly Fault[] } {
  const unknown = unknownFields(kubernetesPolicy, value);
  const given = withoutNulls(kubernetesPolicy, value);
  const result = parseWith(kubernetesPolicy, given);
  if ('faults' in result) {
    const parts = ifReadable(() => readableParts(kubernetesPolicy, given));
    const further = parts
      ? objectFaults(table, parts as typeof kubernetesPolicy._output, given)
      : [];
    return { faults: [...unknown, ...result.faults, ...further] };
  }
  const faults = [...unknown, ...objectFaults(table, result.parsed)];
  return faults.length > 0 ? { faults } : { converted: convertNetworkPolicy(result.parsed) };
}
