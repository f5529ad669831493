import { z } from 'zod';
import { defineKind, type ResourceOf, type Rule } from '../kind.ts';
import { BUILT_IN_TIERS, DEFAULT_TIER_ORDER, isBuiltInTier } from '../policy/built-in-tiers.ts';
import { tierName } from '../policy/policy-names.ts';
import { fallback, float64 } from '../scalars.ts';

const spec = z.object({
  order: fallback(float64, DEFAULT_TIER_ORDER).describe('Lower ones come first.'),
  defaultAction: z
    .enum(['Deny', 'Pass'])
    .default('Deny')
    .describe(
      'What happens to traffic of endpoints that a policy of the tier selects, where no rule decides.',
    ),
});

/** Policies that are looked at together, and what becomes of traffic that none of them decides. */
export const tier = defineKind({
  kind: 'Tier',
  summary:
    'A group of policies: which groups come before it, and what happens to traffic that none of its policies decides.',
  plural: 'tiers',
  name: tierName,
  spec,
  complete: (resource) => {
    const { name } = resource.metadata;
    if (!isBuiltInTier(name) || resource.spec.order !== undefined) return resource;
    return { ...resource, spec: { ...resource.spec, order: BUILT_IN_TIERS[name].order } };
  },
  rules: [builtInValue('order'), builtInValue('defaultAction')],
});

export type Tier = ResourceOf<typeof tier>;

interface TierLike {
  readonly metadata: { readonly name: string };
  readonly spec: z.infer<typeof spec>;
}

/** That a tier which every cluster has keeps its one value of a field. */
function builtInValue(field: keyof z.infer<typeof spec>): Rule<TierLike> {
  const wanted = Object.entries(BUILT_IN_TIERS).map(([name, tier]) => `${tier[field]} in ${name}`);
  return {
    path: `spec.${field}`,
    rule: `must be ${wanted.join(', ')}`,
    check: ({ metadata: { name }, spec: given }) =>
      !isBuiltInTier(name) || given[field] === BUILT_IN_TIERS[name][field],
  };
}
