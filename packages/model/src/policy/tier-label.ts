import type { Metadata } from '../resource.ts';

/** Says which tier a policy is in, so that tools can list those of one. */
const TIER_LABEL = 'projectcalico.org/tier';

interface Tiered {
  readonly metadata: Metadata;
  readonly spec: { readonly tier: string };
}

/** A policy with its tier's label, as Calico writes it: in the default tier only if there is one already. */
export function withTierLabel<P extends Tiered>(policy: P): P {
  const { metadata, spec } = policy;
  const { labels = {} } = metadata;
  if (spec.tier === 'default' && labels[TIER_LABEL] === undefined) return policy;
  return { ...policy, metadata: { ...metadata, labels: { ...labels, [TIER_LABEL]: spec.tier } } };
}
