import type { NeighborDetail } from '@overland/bgp/node';
import type { Family } from '@overland/net';
import { FAMILY_TITLES, isFamilyUp, stateOf } from './peer-state.ts';

/** Why a peer has no prefixes of a family in one direction or in both; nothing if it has. */
export function prefixHints(peer: NeighborDetail, family: Family): string[] {
  if (!peer.session) return [`no prefixes: ${whyDown(peer)}`];
  if (!isFamilyUp(peer, family)) return [`no prefixes: ${whyNotNegotiated(peer, family)}`];
  const hints: string[] = [];
  if (peer.prefixesReceived[family] === 0) hints.push(`none accepted: ${whyNone(peer, family)}`);
  if (peer.prefixesSent[family] === 0) hints.push(`none sent: ${whyNoneSent(peer, family)}`);
  return hints;
}

export function whyDown(peer: NeighborDetail): string {
  if (peer.prefixLimitReached) return 'the peer went above its limit of prefixes';
  if (peer.awaitsRouter) return `nobody is heard on ${peer.place} (router advertisements)`;
  if (peer.awaitsBfd) return 'the session waits for BFD to be up';
  const reason = peer.lastError === null ? '' : `: ${peer.lastError}`;
  return `the session is ${stateOf(peer)}${reason}`;
}

export function whyNotNegotiated({ capabilities }: NeighborDetail, family: Family): string {
  const title = FAMILY_TITLES[family];
  const view = capabilities.find((one) => one.family === family);
  if (view && !view.received) return `the peer does not announce ${title}`;
  return `${title} was not negotiated`;
}

function whyNone({ refused, endOfRib }: NeighborDetail, family: Family): string {
  const reasons = Object.entries(refused).filter(([, count]) => count > 0);
  if (reasons.length > 0) {
    const text = reasons.map(([reason, count]) => `${reason} ${count}`).join(', ');
    return `what came was refused (${text}; bgp routes --filtered shows it)`;
  }
  return endOfRib.received.includes(family)
    ? 'the peer has sent End-of-RIB and no route'
    : 'the peer has sent no route yet';
}

function whyNoneSent(peer: NeighborDetail, family: Family): string {
  if (!peer.endOfRib.sent.includes(family)) return 'routes are still being selected';
  return lacksNextHop(peer, family)
    ? 'no route may go to it; over IPv6 that takes extendedNextHop on both sides (RFC 8950), or an IPv4 address on the interface'
    : 'no route may go to it';
}

/** Whether IPv4 routes may want for a next hop that the peer takes. */
function lacksNextHop({ session, capabilities }: NeighborDetail, family: Family): boolean {
  const isOverIpv6 = session?.localAddress.includes(':') ?? false;
  const isNegotiated = capabilities.some(
    ({ key, advertised, received }) => key === 'extendedNexthop' && advertised && received,
  );
  return family === 'ipv4' && isOverIpv6 && !isNegotiated;
}
