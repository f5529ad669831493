import { familyOf } from '@overland/net';
import { ESSENTIAL_ICMPV6 } from '../policy/essential-icmpv6.ts';
import type { FailsafePort, HostRules } from '../policy/host-rules.ts';
import type { Direction } from '../policy/policy-view.ts';

/** Without these IPv6 does not work; conntrack knows nothing of them. */
export const IS_ESSENTIAL_ICMPV6 = `icmpv6 type { ${ESSENTIAL_ICMPV6.join(', ')} }`;

/** Accepts what passes a host whatever its policies say. */
export function renderFailsafe({ failsafe }: HostRules, direction: Direction): string[] {
  return [
    `${IS_ESSENTIAL_ICMPV6} accept`,
    ...failsafe[direction].map((port) => `${portMatch(port, direction, 'dport')} accept`),
  ];
}

/** Answers of failsafe ports of the other direction: before connections are known they are not seen as such. */
export function renderFailsafeAnswers({ failsafe }: HostRules, direction: Direction): string[] {
  const other = direction === 'ingress' ? 'egress' : 'ingress';
  return failsafe[other].map((port) => `${portMatch(port, direction, 'sport')} accept`);
}

function portMatch(
  { protocol, port, net }: FailsafePort,
  direction: Direction,
  end: 'sport' | 'dport',
): string {
  const side = direction === 'ingress' ? 'saddr' : 'daddr';
  const peer =
    net === undefined ? '' : `${familyOf(net) === 'ipv4' ? 'ip' : 'ip6'} ${side} ${net} `;
  return `${peer}meta l4proto ${protocol} th ${end} ${port}`;
}
