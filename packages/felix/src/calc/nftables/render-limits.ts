import type { Direction } from '../policy/policy-view.ts';
import type { EndpointFilter } from '../policy-state.ts';
import { endpointChain } from './names.ts';
import type { NftChainObject } from './nft-objects.ts';

/** Rules of an endpoint's chain that come before its policy. */
export interface LimitRules {
  /** For every packet. */
  readonly packets: readonly string[];
  /** For the first of a connection. */
  readonly connections: readonly string[];
}

const OVER_LIMIT = 'over-limit';

/** More than this an endpoint neither gets nor sends: packets whether established or not. */
export function limitRules(
  interfaceName: string,
  direction: Direction,
  { guard }: EndpointFilter,
): LimitRules {
  const { packets, connections } = guard?.limits[direction] ?? {};
  const rate = packets && `limit rate over ${packets.perSecond}/second`;
  return {
    packets: [
      ...(rate ? [`${rate} burst ${packets.burst} packets drop`] : []),
      ...(direction === 'egress' ? codePointRules(guard?.dscp) : []),
    ],
    connections:
      connections === undefined ? [] : [`jump ${connectionsChain(interfaceName, direction)}`],
  };
}

/** What it sends has this code point, whatever it had. */
function codePointRules(dscp: number | undefined): string[] {
  return dscp === undefined ? [] : [`ip dscp set ${dscp}`, `ip6 dscp set ${dscp}`];
}

/** Clients over TCP are told at once. */
export const LIMIT_CHAINS: readonly (readonly [string, NftChainObject])[] = [
  [OVER_LIMIT, { rules: ['meta l4proto 6 reject with tcp reset', 'drop'] }],
];

/**
 * Chains that count connections. They are apart from those of policy because the kernel counts by rule: written anew, it
 * would begin at none.
 */
export function limitChains(
  interfaceName: string,
  { guard }: EndpointFilter,
): (readonly [string, NftChainObject])[] {
  return (['ingress', 'egress'] as const).flatMap((direction) => {
    const { connections } = guard?.limits[direction] ?? {};
    if (connections === undefined) return [];
    const rules = [`ct count over ${connections} goto ${OVER_LIMIT}`];
    return [[connectionsChain(interfaceName, direction), { rules }] as const];
  });
}

export function connectionsChain(interfaceName: string, direction: Direction): string {
  return `connections/${endpointChain(direction, interfaceName)}`;
}
