import type { PeerSummary } from '@overland/bgp/node';
import type { Family } from '@overland/net';

/** FRR's names of address families, for people and in JSON. */
export const FAMILY_TITLES = { ipv4: 'IPv4 Unicast', ipv6: 'IPv6 Unicast' } as const;
export const FAMILY_KEYS = { ipv4: 'ipv4Unicast', ipv6: 'ipv6Unicast' } as const;

/** Whether the session is Established with the family. */
export function isFamilyUp({ session }: PeerSummary, family: Family): boolean {
  return session?.families.includes(family) ?? false;
}

/** The state in FRR's words, but for BFD: it has none. */
export function stateOf({ state, prefixLimitReached, awaitsBfd }: PeerSummary): string {
  if (state === 'Idle' && awaitsBfd) return 'Idle (BFD)';
  return prefixLimitReached ? 'Idle (PfxCt)' : state;
}
