import { mismatches, type Packet, type SetQuestions } from './match-rule.ts';
import type { Direction, EndpointPolicy, PolicyHook, RuleList } from './policy-view.ts';

export type Action = 'allow' | 'deny';

/** What decided about a packet at an endpoint. */
export interface Decision {
  readonly action: Action;
  /** `undefined`: no tier was asked, or all passed. */
  readonly tier: string | undefined;
  /** Policy or profile; `undefined`: none of them, but the end of the tier or of the profiles. */
  readonly list: string | undefined;
  /** Its place among the rules of the direction, from 0 on; `undefined`: no rule decided. */
  readonly rule: number | undefined;
  /** Why, where no rule decided. */
  readonly reason: string | undefined;
}

/** A rule, and what became of it. */
interface RuleOutcome {
  readonly rule: number;
  readonly action: string;
  /** Conditions that the packet does not meet; none: it matched. */
  readonly mismatches: readonly string[];
}

/** A policy or profile that was asked. */
interface ListOutcome {
  readonly name: string;
  readonly missing: string | undefined;
  /** Up to the rule that matched and did not log. */
  readonly rules: readonly RuleOutcome[];
}

interface TierOutcome {
  /** `undefined`: the profiles. */
  readonly tier: string | undefined;
  readonly lists: readonly ListOutcome[];
}

/** What an endpoint makes of the first packet of a flow, and everything that was asked on the way. */
export interface Judgement {
  readonly direction: Direction;
  readonly decision: Decision;
  readonly outcomes: readonly TierOutcome[];
}

/**
 * Walks through tiers and profiles as the kernel does. calico.md section 5.1.
 *
 * @param at Before tracking and before DNAT nothing is denied for want of a rule: a later place decides then. What is
 *   forwarded passes where no tier has a say.
 */
export function judgePacket(
  policy: EndpointPolicy,
  { direction, hook = 'normal' }: { readonly direction: Direction; readonly hook?: PolicyHook },
  packet: Packet,
  sets: SetQuestions,
): Judgement {
  const isEarly = hook === 'untracked' || hook === 'preDNAT';
  const outcomes: TierOutcome[] = [];
  const decided = (decision: Decision): Judgement => ({ direction, decision, outcomes });
  for (const { name: tier, defaultAction, policies } of policy.tiers) {
    const { lists, hit } = walk(policies, packet, sets);
    outcomes.push({ tier, lists });
    if (hit?.action === 'Pass') continue;
    if (hit) return decided({ ...verdictOf(hit), tier, reason: undefined });
    const missing = lists.find((list) => list.missing !== undefined)?.missing;
    if ((defaultAction === 'Pass' || isEarly) && missing === undefined) continue;
    const reason =
      missing ?? `no rule matches, and tier ${tier} denies what its policies do not decide`;
    return decided({ action: 'deny', tier, list: undefined, rule: undefined, reason });
  }
  if (hook !== 'normal') {
    const reason = isEarly ? 'no rule matches: it is judged later' : 'no policy decides';
    return decided({ action: 'allow', tier: undefined, list: undefined, rule: undefined, reason });
  }
  const { lists, hit } = walk(policy.profiles, packet, sets);
  if (lists.length > 0) outcomes.push({ tier: undefined, lists });
  // Pass in a profile has nothing to pass to.
  if (hit && hit.action !== 'Pass') {
    return decided({ ...verdictOf(hit), tier: undefined, reason: undefined });
  }
  const missing = lists.find((list) => list.missing !== undefined);
  const reason = missing
    ? `${missing.name}: ${missing.missing}`
    : lists.length > 0
      ? 'no rule of its profiles matches'
      : 'no policy decides, and it has no profile';
  return decided({ action: 'deny', tier: undefined, list: undefined, rule: undefined, reason });
}

interface Hit {
  readonly list: string;
  readonly rule: number;
  readonly action: 'Allow' | 'Deny' | 'Pass';
}

function walk(lists: readonly RuleList[], packet: Packet, sets: SetQuestions) {
  const outcomes: ListOutcome[] = [];
  for (const { name, rules, missing } of lists) {
    const asked: RuleOutcome[] = [];
    outcomes.push({ name, missing, rules: asked });
    // What is missing is closed: whatever comes after it is not asked.
    if (missing !== undefined) return { lists: outcomes, hit: undefined };
    for (const [i, rule] of rules.entries()) {
      const faults = mismatches(rule, packet, sets);
      asked.push({ rule: i, action: rule.action, mismatches: faults });
      if (faults.length > 0 || rule.action === 'Log') continue;
      const hit: Hit = { list: name, rule: i, action: rule.action };
      return { lists: outcomes, hit };
    }
  }
  return { lists: outcomes, hit: undefined };
}

function verdictOf({ list, rule, action }: Hit): Pick<Decision, 'action' | 'list' | 'rule'> {
  return { action: action === 'Allow' ? 'allow' : 'deny', list, rule };
}
