import type { PeerSummary, SpeakerSummary } from '@overland/bgp/node';
import { compareAddresses, type Family } from '@overland/net';
import { isFamilyUp, stateOf } from './peer-state.ts';

/** One peer in one address family: a line of `bgp summary`, an entry of its JSON. */
export interface SummaryRow {
  readonly peer: string;
  readonly description: string | null;
  /** Or the interface of an unnumbered peer. */
  readonly peerAddress: string;
  /** It came from a listen range. */
  readonly isDynamic: boolean;
  readonly family: Family;
  readonly version: number;
  readonly localAs: number;
  /** `null`: the peer may have one of several, and has not told which. */
  readonly remoteAs: number | null;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  /** Octets that wait, in either direction. */
  readonly inQueue: number;
  readonly outQueue: number;
  /** FSM state; `NoNeg`: Established, but without this family; `Idle (PfxCt)`: above its limit of prefixes. */
  readonly state: string;
  /** Since the session came up, or went down; `null`: never up. */
  readonly uptimeSeconds: number | null;
  /** Prefixes; `null` when the family is not up. */
  readonly received: number | null;
  readonly sent: number | null;
  readonly filtered: number | null;
  readonly stale: number;
  readonly lastError: string | null;
}

/** The rows of one family, by address. */
export function summaryRows(summary: SpeakerSummary, family: Family): SummaryRow[] {
  return summary.peers
    .filter(({ families }) => families.includes(family))
    .toSorted((a, b) => compareAddresses(a.address, b.address) || compareText(a.place, b.place))
    .map((peer) => row(peer, family));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function row(peer: PeerSummary, family: Family): SummaryRow {
  const isUp = isFamilyUp(peer, family);
  return {
    peer: peer.name,
    description: peer.description ?? null,
    peerAddress: peer.place,
    isDynamic: peer.range !== null,
    family,
    version: peer.version,
    localAs: peer.localAsn,
    remoteAs: peer.asn,
    messagesReceived: peer.messagesReceived,
    messagesSent: peer.messagesSent,
    inQueue: peer.inQueueOctets,
    outQueue: peer.outQueueOctets,
    state: peer.session && !isUp ? 'NoNeg' : stateOf(peer),
    uptimeSeconds: peer.upDownSeconds,
    received: isUp ? peer.prefixesReceived[family] : null,
    sent: isUp ? peer.prefixesSent[family] : null,
    filtered: isUp ? peer.prefixesFiltered[family] : null,
    stale: peer.prefixesStale[family],
    lastError: lastError(peer),
  };
}

function lastError({ lastError: reason, lastCommunication: text }: PeerSummary): string | null {
  return reason && text ? `${reason} "${text}"` : reason;
}
