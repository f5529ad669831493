import type { PolicyRule, Profile } from '@overland/model';
import { activateRule } from './activate-rule.ts';
import type { SetDemand } from './address-sets.ts';
import type { Policy } from './placement.ts';
import type { Direction, RuleList } from './policy-view.ts';

/** What a list of rules is called. */
export function listName({
  kind,
  metadata: { namespace, name },
}: Pick<Policy | Profile, 'kind' | 'metadata'>): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** What the list of a profile is called, whether there is such a profile or not. */
export function profileListName(profile: string): string {
  return `Profile ${profile}`;
}

/** @param sets Is told which sets the rules ask for. */
export function ruleListOf(
  source: Policy | Profile,
  direction: Direction,
  sets: SetDemand,
): RuleList {
  const written: readonly PolicyRule[] = source.spec[direction] ?? [];
  const { namespace } = source.metadata;
  const rules = written.map((rule) => activateRule(rule, namespace, sets));
  return { name: listName(source), rules };
}

/** What stands in for a policy whose tier is not there. */
export function listWithoutTier(name: string, tier: string): RuleList {
  return { name, rules: [], missing: `there is no tier ${tier}` };
}

/** What stands in for a profile that is not there. */
export function listWithoutProfile(profile: string): RuleList {
  return { name: profileListName(profile), rules: [], missing: 'there is no such profile' };
}
