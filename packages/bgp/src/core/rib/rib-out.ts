import type { Family } from '@overland/net';
import type { EncodedAttributes } from '../wire/attribute-encoder.ts';
import type { ExportRefusal } from './egress-class.ts';
import type { Offer } from './offer.ts';

/** The longest prefix of each family as NLRI. */
export const NLRI_OCTETS = { ipv4: 5, ipv6: 17 } as const satisfies Record<Family, number>;

/** Paths of a group in a row that need not be sent before packing looks no further. */
export const MAX_SKIPS = 16;

/** Whom an Adj-RIB-Out serves. */
export interface Recipient {
  /** Slot. */
  readonly peer: number;
  readonly maxMessageOctets: number;
  /** Is told where a refresh begins and ends. RFC 7313. */
  readonly enhancedRefresh: boolean;
}

/** Why a peer is not sent a route. */
export type SendRefusal =
  | ExportRefusal
  /** There is none. */
  | 'no-route'
  /** It is the peer's own. */
  | 'split-horizon'
  /** The kernel does not have it yet, or refuses it. */
  | 'fib-pending'
  /** The peer can be told none: of ours there is no address of the family on the session's link. */
  | 'no-next-hop'
  /** The peer has as many prefixes from us as it may. */
  | 'send-limit';

/** `pending`: it is about to be sent, or sent anew; `withdrawing`: the peer has it, and is about to be told otherwise. */
export type SendState = 'advertised' | 'pending' | 'withdrawing' | 'withheld';

/** A route as the peer gets it. */
export interface SentRoute {
  /** Of the path; 0: the default route that the peer is offered by itself. */
  readonly group: number;
  /** RFC 7911; `null`: the peer gets none. */
  readonly pathId: number | null;
  /** AS numbers have four octets; valid until the next one is asked for, or a message is packed. */
  readonly attributes: EncodedAttributes;
  /** `undefined`: the peer can be told none, and so gets no route. */
  readonly nextHop: Uint8Array | undefined;
}

/** What one peer was sent of one family, and what it has yet to be sent. RFC 4271 section 3.2. */
export interface RibOut {
  readonly offer: Offer;
  /** Prefixes, or paths where several of a prefix are sent, that the peer has from us. */
  readonly sent: number;
  /** Of these, how many it is to be sent, and how many it is to lose. */
  readonly announcing: number;
  readonly withdrawing: number;
  /** How many more it would have if there were no limit. */
  readonly heldBack: number;
  /** @param most Most that the peer may have from us; `undefined`: there is no limit. */
  setLimit(most: number | undefined): void;
  /** Whether the peer has the prefix from us, and there still is a route of it. */
  isAdvertised(prefix: number): boolean;
  /** Why the peer is to have no route of a prefix; `undefined`: it is to have one. */
  refusalOf(prefix: number): SendRefusal | undefined;
  /** What has become of a prefix, and what is about to. */
  stateOf(prefix: number): SendState;
  /** What the peer gets of a prefix as things are, for people; what is refused may be there, too. */
  sentOf(prefix: number): Iterable<SentRoute>;
  /** Whether End-of-RIB has been sent. */
  readonly hasEndedRib: boolean;
  readonly hasUpdate: boolean;
  readonly isPassing: boolean;
  /** Looks at every prefix again: the peer asked for it, or what it may have has changed. */
  startPass(): void;
  /** The rules have changed: what is pending by the old ones must not leave before it is looked at again. */
  reconsider(): void;
  /** The rules are the same, but may say something else of a prefix. */
  reconsiderPrefix(prefix: number): void;
  /**
   * Offers the peer a default route of ours instead of that of the Loc-RIB, or ceases to.
   *
   * @param prefix Prefix 0/0; 0 to cease.
   */
  originateDefault(prefix: number): void;
  /** The peer has asked for everything again. */
  refresh(): void;
  /** Goes on with a pass. @returns Units used. */
  step(units: number): number;
  /** Everything that is known has been decided: End-of-RIB may follow, after the first pass. */
  settle(): void;
  /**
   * Packs the next message: withdrawals first, because they end loops and black holes.
   *
   * @returns Octets written; 0 when there is nothing to send.
   */
  nextUpdate(target: Uint8Array, offset: number): number;
  /** Lets go of what is pending, after the session ended. @returns Units used. */
  release(units: number): number;
  readonly isReleased: boolean;
}
