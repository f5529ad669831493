import type { PeerCensus } from '@overland/bgp';
import type { ExplainedPeer, NeighborDetail } from '@overland/bgp/node';
import type { Family } from '@overland/net';
import { nextHopFault, sendRefusalText } from './explain-words.ts';
import { isFamilyUp } from './peer-state.ts';
import { whyDown, whyNotNegotiated } from './prefix-hints.ts';

type Tally = PeerCensus['received'][number];

/** What there is of one family, and why, in words. */
export interface FamilyFindings {
  readonly family: Family;
  readonly received: readonly string[];
  readonly sent: readonly string[];
}

/** Reasons for which nothing is kept of what the peer sent: no table shows it, only a counter. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  'martian',
  'treat-as-withdraw',
  'attribute-discard',
  'route-leak',
  'first-as',
  'as-set',
]);

/** Why a peer has the routes that it has from us, and why we have those that we have of it, or none. */
export function peerFindings({ neighbor, census, deferring }: ExplainedPeer): FamilyFindings[] {
  return census.map((one) => {
    const { family } = one;
    const barred = whyNoSession(neighbor, family);
    if (barred !== undefined) return { family, received: [barred], sent: [barred] };
    return { family, received: received(neighbor, one), sent: sent(neighbor, one, deferring) };
  });
}

function whyNoSession(neighbor: NeighborDetail, family: Family): string | undefined {
  if (!neighbor.session) return `none: ${whyDown(neighbor)}`;
  return isFamilyUp(neighbor, family) ? undefined : `none: ${whyNotNegotiated(neighbor, family)}`;
}

function received(neighbor: NeighborDetail, { family, received: tallies }: PeerCensus): string[] {
  const dropped = Object.entries(neighbor.refused)
    .filter(([reason, count]) => NOT_KEPT.has(reason) && count > 0)
    .map(([reason, count]) => `${reason} ${count}`);
  const lost =
    dropped.length > 0 ? [`not kept since the peer was configured: ${dropped.join(', ')}`] : [];
  if (tallies.length > 0) return [...tallies.map(receivedText), ...lost];
  const hasEnded = neighbor.endOfRib.received.includes(family);
  const none = hasEnded
    ? 'none: the peer has sent End-of-RIB and no route that was kept'
    : 'none: the peer has sent no route that was kept, and no End-of-RIB yet';
  return [none, ...lost];
}

function receivedText(tally: Tally): string {
  const { what, detail, count } = tally;
  switch (what) {
    case 'best':
      return `${count} best`;
    case 'other':
      return `${count} accepted, while others are better or as good`;
    case 'refused':
      return `${count} refused by import: ${detail ?? ''}${example(tally)}`;
    case 'next-hop':
      return `${count} unusable: the next hop ${nextHopFault(detail ?? '')}${example(tally)}`;
    default:
      return `${count} ${what}`;
  }
}

function sent(
  { endOfRib }: NeighborDetail,
  { family, sent: tallies }: PeerCensus,
  deferring: boolean,
): string[] {
  const held = deferring
    ? ['nothing is sent yet: after the restart, the routes of the peers are awaited']
    : [];
  if (tallies && tallies.length > 0) return [...held, ...tallies.map(sentText)];
  if (deferring) return held;
  return endOfRib.sent.includes(family)
    ? ['none: there is no route']
    : ['none yet: routes are still being selected'];
}

function sentText(tally: Tally): string {
  const { what, detail, count } = tally;
  if (what !== 'withheld') return `${count} ${what === 'pending' ? 'about to be sent' : what}`;
  return `${count} not advertised: ${refusalText(detail ?? '')}${example(tally)}`;
}

/** @param detail A reason, or `filter` and the rule. */
function refusalText(detail: string): string {
  const [reason = '', rule] = detail.split(/ (.*)/s);
  return rule === undefined ? sendRefusalText(reason) : `${sendRefusalText(reason)} (${rule})`;
}

function example({ example: prefix, count }: Tally): string {
  return count === 1 ? ` (${prefix})` : ` (${prefix} is one)`;
}
