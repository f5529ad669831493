import { type Expression, sameJson, type Tier } from '@overland/model';
import type { PolicyEndpoint } from '../policy/endpoint.ts';
import {
  comparePolicies,
  compareTiers,
  isAskedAt,
  type Policy,
  placeTier,
} from '../policy/placement.ts';
import type { Direction, PolicyHook } from '../policy/policy-view.ts';
import { profileListName } from '../policy/rule-list.ts';
import { type EndpointPolicyRef, listIdOf } from '../policy-state.ts';

/** A policy, as it is compared with labels. */
export interface PlacedPolicy {
  /** By which it is stored. */
  readonly key: string;
  /** `NetworkPolicy prod/web`, `StagedNetworkPolicy prod/web`. */
  readonly name: string;
  /** It is not enforced. */
  readonly isStaged: boolean;
  readonly expression: Expression;
  policy: Policy;
}

/** Tiers that are stored, by name. */
export type TierSpecs = ReadonlyMap<string, Tier['spec']>;

/** At which place something is asked, and about endpoints of which kind. */
interface Place {
  readonly kind: PolicyEndpoint['kind'];
  readonly direction: Direction;
  readonly hook: PolicyHook;
}

/** What is known of the endpoints of a class. */
interface ClassFacts {
  /** Those whose selectors hold. */
  readonly matches: Iterable<PlacedPolicy>;
  /** Profiles, in the order in which the endpoints list them. */
  readonly parents: readonly string[];
}

/** What all endpoints of a class are asked about at a place. */
export function classPolicyAt(
  { kind, direction, hook }: Place,
  { matches, parents }: ClassFacts,
  tiers: TierSpecs,
): EndpointPolicyRef {
  const asked = [...matches].filter(
    ({ policy }) => isAskedAt(policy, kind, hook) && isAbout(policy, direction),
  );
  const byTier = Map.groupBy(asked, ({ policy }) => policy.spec.tier);
  const places = Array.from(byTier.keys(), (tier) => placeTier(tier, tiers.get(tier)));
  const profiles = hook === 'normal' ? parents : [];
  return {
    tiers: places.toSorted(compareTiers).map(({ name, defaultAction }) => {
      const own = byTier.get(name) ?? [];
      const ordered = own.toSorted((a, b) => comparePolicies(a.policy, b.policy));
      return { name, defaultAction, lists: ordered.map((list) => listIdOf(direction, list)) };
    }),
    profiles: profiles.map((name) => listIdOf(direction, { name: profileListName(name) })),
  };
}

/** What workloads with the same labels are asked about. */
export interface WorkloadPolicy {
  readonly enforced: Record<Direction, EndpointPolicyRef>;
  /** With the staged policies; absent: the same. */
  readonly staged?: Record<Direction, EndpointPolicyRef>;
}

/** @param replaced Names of what staged policies would take the place of. */
export function workloadPolicyOf(
  { matches, parents }: ClassFacts,
  replaced: ReadonlySet<string>,
  tiers: TierSpecs,
): WorkloadPolicy {
  const askedIf = (isAsked: (policy: PlacedPolicy) => boolean) => {
    const facts = { matches: [...matches].filter(isAsked), parents };
    const at = (direction: Direction) =>
      classPolicyAt({ kind: 'workload', direction, hook: 'normal' }, facts, tiers);
    return { ingress: at('ingress'), egress: at('egress') };
  };
  const enforced = askedIf(({ isStaged }) => !isStaged);
  if (replaced.size === 0) return { enforced };
  const staged = askedIf(({ isStaged, name }) => isStaged || !replaced.has(name));
  return { enforced, ...(sameJson(staged, enforced) ? {} : { staged }) };
}

function isAbout({ spec: { types = [] } }: Policy, direction: Direction): boolean {
  return types.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
}
