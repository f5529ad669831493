import type { EndpointPolicyRef, ListId } from '../policy-state.ts';
import { DENIED_CHAIN, listChain } from './names.ts';
import type { LimitRules } from './render-limits.ts';
import { ACCEPT_MARK, hex, PASS_MARK } from './render-rule.ts';

const BOTH = ACCEPT_MARK | PASS_MARK;

export const CLEAR = `meta mark set meta mark and ${hex(~BOTH)}`;
const CLEAR_PASS = `meta mark set meta mark and ${hex(~PASS_MARK)}`;
const RETURN_IF_ACCEPTED = `meta mark and ${hex(ACCEPT_MARK)} == ${hex(ACCEPT_MARK)} return`;
const IF_PASSED = `meta mark and ${hex(PASS_MARK)} == ${hex(PASS_MARK)}`;
const IF_NOT_PASSED = `meta mark and ${hex(PASS_MARK)} == 0x00000000`;

const DENY = `goto ${DENIED_CHAIN}`;

/** A connection of TCP that was ended must not begin again in its middle, and perhaps the other way round. */
const BEGUN_ELSEWHERE = 'ct state new tcp flags != syn / fin,syn,rst,ack drop';

/** Asks one list: what it does not decide goes on to the next rule, what it allows returns. */
function ask(id: ListId, condition: string): string[] {
  return [`${condition} jump ${listChain(id)}`.trim(), RETURN_IF_ACCEPTED];
}

/** @param closes Whether tiers may deny what none of their policies decides. */
export function renderTiers(tiers: EndpointPolicyRef['tiers'], closes = true): string[] {
  return tiers.flatMap(({ defaultAction, lists }) => [
    CLEAR_PASS,
    ...lists.flatMap((id) => ask(id, IF_NOT_PASSED)),
    ...(closes && defaultAction === 'Deny' ? [`${IF_NOT_PASSED} ${DENY}`] : []),
  ]);
}

/** What none of the profiles allows is dropped. */
export function renderProfiles(profiles: EndpointPolicyRef['profiles']): string[] {
  const rules = profiles.flatMap((id) => [...ask(id, ''), `${IF_PASSED} ${DENY}`]);
  return [CLEAR_PASS, ...rules, DENY];
}

/**
 * The chain that decides about an endpoint's traffic in one direction: it returns what may go on, and drops the rest.
 * Flows that were let through once are not asked again.
 */
export function renderEndpoint(
  { tiers, profiles }: EndpointPolicyRef,
  limits: LimitRules = { packets: [], connections: [] },
): string[] {
  return [
    ...limits.packets,
    'ct state established,related return',
    'ct state invalid drop',
    BEGUN_ELSEWHERE,
    ...limits.connections,
    CLEAR,
    ...renderTiers(tiers),
    ...renderProfiles(profiles),
  ];
}
