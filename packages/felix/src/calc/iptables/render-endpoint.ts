import type { RuleList } from '../policy/policy-view.ts';
import type { EndpointPolicyRef, ListId } from '../policy-state.ts';
import { listChain } from './names.ts';
import { clearMark, comment, hasMark, hasNoMark, MARK } from './words.ts';

/**
 * The chain that decides about an endpoint's traffic in one direction: it returns with the accept mark what may go on, and
 * drops the rest. Flows that were let through once are not asked again.
 */
export function renderEndpoint(
  { tiers, profiles }: EndpointPolicyRef,
  lists: ReadonlyMap<ListId, RuleList>,
): string[] {
  const ask = (id: ListId, condition: string, what: string): string[] => {
    // What is not there is closed.
    if (lists.get(id)?.missing !== undefined || !lists.has(id)) return [`${condition}-j DROP`];
    return [
      `${condition}-j ${listChain(id)}`,
      `${comment(`Return if ${what} accepted`)} ${hasMark(MARK.accept)} -j RETURN`,
    ];
  };
  return [
    '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-m conntrack --ctstate INVALID -j DROP',
    clearMark(MARK.accept | MARK.pass),
    ...tiers.flatMap((tier) => [
      `${comment(`Start of tier ${tier.name}`)} ${clearMark(MARK.pass)}`,
      ...tier.lists.flatMap((id) => ask(id, `${hasNoMark(MARK.pass)} `, 'policy')),
      ...(tier.defaultAction === 'Deny'
        ? [`${comment('Drop if no policies passed packet')} ${hasNoMark(MARK.pass)} -j DROP`]
        : []),
    ]),
    clearMark(MARK.pass),
    ...profiles.flatMap((id) => [
      ...ask(id, '', 'profile'),
      // Pass in a profile has nothing to pass to.
      `${hasMark(MARK.pass)} -j DROP`,
    ]),
    `${comment('Drop if no profiles matched')} -j DROP`,
  ];
}
