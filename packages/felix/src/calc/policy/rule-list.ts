import type { PolicyRule, Profile } from '@overland/model';
import { activateRule } from './activate-rule.ts';
import type { RuleSets } from './address-sets.ts';
import type { Policy, TierPlace } from './placement.ts';
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
export function policyList(
  policy: Policy,
  tier: TierPlace,
  { direction, sets }: { readonly direction: Direction; readonly sets: RuleSets },
): RuleList {
  const closed = (missing: string): RuleList => ({ name: listName(policy), rules: [], missing });
  if (policy.fault !== undefined) return closed(`it cannot be read: ${policy.fault}`);
  if (tier.isMissing) return closed(`there is no tier ${tier.name}`);
  return ruleListOf(policy, direction, sets);
}

/** @param profile By that name; `undefined`: there is none. */
export function profileList(
  name: string,
  profile: Profile | undefined,
  { direction, sets }: { readonly direction: Direction; readonly sets: RuleSets },
): RuleList {
  if (profile) return ruleListOf(profile, direction, sets);
  return { name: profileListName(name), rules: [], missing: 'there is no such profile' };
}

function ruleListOf(source: Policy | Profile, direction: Direction, sets: RuleSets): RuleList {
  const written: readonly PolicyRule[] = source.spec[direction] ?? [];
  const { namespace } = source.metadata;
  const rules = written.map((rule) => activateRule(rule, namespace, sets));
  return { name: listName(source), rules };
}
