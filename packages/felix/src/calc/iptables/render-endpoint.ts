import type { RuleList } from '../policy/policy-view.ts';
import type { EndpointPolicyRef, ListId } from '../policy-state.ts';
import { DENY, listChain } from './names.ts';
import { clearMark, comment, hasMark, hasNoMark, MARK } from './words.ts';

type Lists = ReadonlyMap<ListId, RuleList>;

/** Asks one list: what it does not decide goes on to the next rule, what it allows returns. */
function ask(lists: Lists, id: ListId, condition: string, what: string): string[] {
  const list = lists.get(id);
  // What is not there is closed.
  if (!list || list.missing !== undefined) return [`${condition}-j DROP`];
  return [
    `${condition}-j ${listChain(id)}`,
    `${comment(`Return if ${what} accepted`)} ${hasMark(MARK.accept)} -j RETURN`,
  ];
}

/** @param closes Whether tiers may deny what none of their policies decides. */
export function renderTiers(
  tiers: EndpointPolicyRef['tiers'],
  lists: Lists,
  closes = true,
): string[] {
  return tiers.flatMap((tier) => [
    `${comment(`Start of tier ${tier.name}`)} ${clearMark(MARK.pass)}`,
    ...tier.lists.flatMap((id) => ask(lists, id, `${hasNoMark(MARK.pass)} `, 'policy')),
    ...(closes && tier.defaultAction === 'Deny'
      ? [`${comment('Drop if no policies passed packet')} ${hasNoMark(MARK.pass)} ${DENY}`]
      : []),
  ]);
}

/** What none of the profiles allows is dropped. */
export function renderProfiles(profiles: EndpointPolicyRef['profiles'], lists: Lists): string[] {
  return [
    clearMark(MARK.pass),
    // Pass in a profile has nothing to pass to.
    ...profiles.flatMap((id) => [
      ...ask(lists, id, '', 'profile'),
      `${hasMark(MARK.pass)} ${DENY}`,
    ]),
    `${comment('Drop if no profiles matched')} ${DENY}`,
  ];
}

/** Forgets what was decided before, or what others have marked with our bits. */
export const CLEAR = clearMark(MARK.accept | MARK.pass);

/** A connection of TCP that was ended must not begin again in its middle, and perhaps the other way round. */
const BEGUN_ELSEWHERE =
  '-p 6 -m conntrack --ctstate NEW -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j DROP';

export const INVALID_DROP = '-m conntrack --ctstate INVALID -j DROP';

/**
 * The chain that decides about a workload's traffic in one direction: it returns with the accept mark what may go on, and
 * drops the rest. Flows that were let through once are not asked again.
 *
 * @param limits Rules for the first packet of a connection that come before policy.
 */
export function renderEndpoint(
  { tiers, profiles }: EndpointPolicyRef,
  lists: Lists,
  limits: readonly string[] = [],
): string[] {
  return [
    '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    INVALID_DROP,
    BEGUN_ELSEWHERE,
    ...limits,
    CLEAR,
    ...renderTiers(tiers, lists),
    ...renderProfiles(profiles, lists),
  ];
}
