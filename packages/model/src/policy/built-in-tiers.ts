/** Tiers that every cluster has, with the only order and default action they may have. They cannot be deleted. */
export const BUILT_IN_TIERS = {
  'kube-admin': { order: 1_000, defaultAction: 'Pass' },
  default: { order: 1_000_000, defaultAction: 'Deny' },
  'kube-baseline': { order: 10_000_000, defaultAction: 'Pass' },
} as const;

/** The order of a tier that does not say. */
export const DEFAULT_TIER_ORDER = 1_000_000;

type BuiltInTier = keyof typeof BUILT_IN_TIERS;

/** Whether a tier is one that every cluster has. */
export function isBuiltInTier(name: string): name is BuiltInTier {
  return Object.hasOwn(BUILT_IN_TIERS, name);
}
