import type { Family } from '@overland/net';

/** One BGP session as one of its two ends sees it. */
export interface BgpSession {
  readonly node: string;
  readonly family: Family;
  readonly peerAddress: string;
  /** Name of the node at the other end, where the lab has one with that address. */
  readonly peer: string | undefined;
  readonly localAs: number;
  readonly remoteAs: number;
  /** RFC 4271's word: `Established`, `Connect`, … */
  readonly state: string;
  /** Routes received and accepted, and sent; `undefined` while not established. */
  readonly received: number | undefined;
  readonly sent: number | undefined;
  readonly uptimeSeconds: number | undefined;
}

/** What a router's own tool says of a session: not yet whose address it is, nor on which node. */
export type ReportedSession = Omit<BgpSession, 'node' | 'peer'>;
