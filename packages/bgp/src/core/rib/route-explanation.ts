import type { Family, IpAddress, Prefix } from '@overland/net';
import type { RuleTrace } from '../policy/compiled-policy.ts';
import type { DescribedAttribute } from '../wire/describe-attributes.ts';
import type { DecisionTrace } from './decision-trace.ts';
import type { NextHopState } from './next-hops.ts';
import type { ImportSafetyReason } from './refusal.ts';
import type { SendRefusal, SendState } from './rib-out.ts';
import type { PeerId, PrefixSelection, RouteView } from './route-engine.ts';

/** What is to be explained. */
export interface ExplainQuery {
  /** `longer` is one prefix, too. */
  readonly prefix: PrefixSelection;
  /** Whether, and how, this peer gets the route. */
  readonly to?: PeerId;
}

/** Why a prefix is routed as it is. Plain data for people and programs. */
export interface RouteExplanation {
  /** What was found; what was asked for if there is nothing. */
  readonly prefix: Prefix;
  /** In the order of preference; what cannot be chosen comes last. Steps of the decision name them by place, from 1. */
  readonly paths: readonly PathExplanation[];
  readonly decision: DecisionExplanation;
  /** Of {@link ExplainQuery.to}; `null`: none was given. */
  readonly export: ExportExplanation | null;
  /** If there is no path: what may be the matter. */
  readonly absence: Absence | null;
}

export interface PathExplanation {
  readonly path: RouteView['paths'][number];
  /** Identifiers under which the peer has given this very route; empty: its session has none. RFC 7911. */
  readonly pathIds: readonly number[];
  /** Why it cannot be chosen; `null`: it can. */
  readonly ineligible: 'refused' | 'session-ended' | 'next-hop' | null;
  /** What import made of it; `null` for what this speaker originates. */
  readonly imported: ImportExplanation | null;
  /** As received. */
  readonly received: readonly DescribedAttribute[];
  /** After import; `null`: as received. */
  readonly accepted: readonly DescribedAttribute[] | null;
  readonly nextHop: NextHopExplanation;
}

export interface ImportExplanation {
  /** What the built-in checks have against it. */
  readonly unsafe: ImportSafetyReason | null;
  /** Rules of import filters that hold, up to the one that decides. */
  readonly rules: readonly RuleTrace[];
  /** The policy is another one than the path was last looked at with: that follows in slices. */
  readonly isPending: boolean;
}

export interface NextHopExplanation {
  readonly address: IpAddress | null;
  readonly state: NextHopState;
  /** Interface that it is behind. */
  readonly device: string | null;
}

/** Paths are places in {@link RouteExplanation.paths}, from 1. */
export interface DecisionExplanation {
  /** False while the prefix waits to be decided again. */
  readonly isSettled: boolean;
  /** Those that were needed. */
  readonly steps: readonly {
    readonly step: string;
    /** What was compared. */
    readonly values: readonly { readonly path: number; readonly value: string }[];
    /** Which step decided against which path, and for which. */
    readonly lost: readonly { readonly path: number; readonly against: number }[];
  }[];
  /** Paths of equal cost. */
  readonly equal: readonly {
    readonly path: number;
    readonly share: DecisionTrace['equal'][number]['share'];
  }[];
}

export interface ExportExplanation {
  /** `down`: no session; `not-negotiated`: none for the family; `deferred`: nothing leaves after a restart yet. */
  readonly state: SendState | 'down' | 'not-negotiated' | 'deferred';
  /** Why it is not sent; `null`: it is, or there is nobody to send it to. */
  readonly refusal: SendRefusal | null;
  /** Rules of export filters that hold, up to the one that decides. */
  readonly rules: readonly RuleTrace[];
  /** What the peer gets: several paths where it takes path identifiers. */
  readonly sent: readonly {
    /** RFC 7911; `null`: none. */
    readonly pathId: number | null;
    /** It is no path of the Loc-RIB, but the default route that the peer is offered by itself. */
    readonly isDefaultOriginated: boolean;
    readonly attributes: readonly DescribedAttribute[];
    readonly nextHop: IpAddress | null;
    /** The next hop is our own address. */
    readonly isOwnNextHop: boolean;
  }[];
}

export interface Absence {
  /** It can never be routed, so that it is refused of whomever it comes from. */
  readonly isMartian: boolean;
  /** The longest prefix that covers it and is there. */
  readonly covering: Prefix | null;
}

/** How many prefixes fare alike, and one of them. */
export interface Tally {
  readonly what: string;
  /** The rule or the reason. */
  readonly detail: string | null;
  readonly count: number;
  readonly example: Prefix;
}

/** What has become of all routes from and to a peer, of one family. */
export interface PeerCensus {
  readonly family: Family;
  /** Of the peer's paths: `best`, `other`, `refused`, `next-hop`. */
  readonly received: readonly Tally[];
  /** Of the Loc-RIB: `advertised`, `pending`, `withdrawing`, `withheld`; `null`: there is no session with the family. */
  readonly sent: readonly Tally[] | null;
}
