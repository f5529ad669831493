import type { Asn, Family, IpAddress, Prefix } from '@overland/net';
import type { OriginState } from '../rpki/vrp-table.ts';

/**
 * Rules for the routes that a session takes or gives. Plain data, part of `SpeakerConfig`. A peer names filters in
 * order; the first rule that matches and does not continue decides, and where none does, the next filter.
 */
export interface RouteFilter {
  /** Unique in the speaker. */
  readonly name: string;
  readonly rules: readonly FilterRule[];
}

/**
 * One rule. Every condition of {@link match} must hold; without conditions it holds for every route. Conditions are
 * about the route as it came, not as rules before this one changed it.
 */
export interface FilterRule {
  /** Unique in its filter, for counters and logs; absent: its place in the list. */
  readonly name?: string;
  /** Only routes of this family. */
  readonly family?: Family;
  readonly match?: RouteMatch;
  /** `continue`: apply {@link set} and look at the next rule. */
  readonly action: 'accept' | 'reject' | 'continue';
  /** Changes of the route; none with `reject`. */
  readonly set?: RouteChanges;
}

export interface RouteMatch {
  readonly prefix?: PrefixMatch;
  /** Whether the route was learned from a peer, and is not originated here. */
  readonly isLearned?: boolean;
  /** Interface of the next hop; `*` stands for any characters. A route without one does not match. */
  readonly interface?: string;
  /** Kind of the session that the filter is for. */
  readonly peerType?: 'ebgp' | 'ibgp';
  readonly communities?: CommunityMatch;
  readonly asPath?: AsPathMatch;
  /** The next hop is one of these. A route without one (an own route) does not match. */
  readonly nextHops?: readonly IpAddress[];
  /** LOCAL_PREF is one of these, 0..2^32-1. A route without it has 100, the default. */
  readonly localPrefs?: readonly number[];
  /** MULTI_EXIT_DISC, 0..2^32-1. A route without it has 0, as in the decision process. */
  readonly med?: number;
  /**
   * What the origin of the route is by the VRPs that caches have told (RFC 6811); before they have, and without
   * caches, it is `not-found`.
   */
  readonly rpki?: OriginState;
}

/**
 * A comparison with a prefix, as Calico's `matchOperator` makes it. A prefix of the other family never matches: a
 * rule with it is no rule of that family.
 */
export interface PrefixMatch {
  readonly prefix: Prefix;
  /** `in`: the prefix or one within; `notIn`: neither. */
  readonly operator: 'equal' | 'notEqual' | 'in' | 'notIn';
  /** Shortest of `in` and `notIn`, bits; what is less than the length of `prefix` means that length. */
  readonly minLength?: number;
  /** Longest of `in` and `notIn`, bits. */
  readonly maxLength?: number;
}

/** A community as text: `aa:nn` (RFC 1997), `aa:nn:mm` (RFC 8092), or the name of a well-known one (`no-export`). */
export type Community = string;

/** Both conditions must hold if both are given. */
export interface CommunityMatch {
  readonly anyOf?: readonly Community[];
  readonly allOf?: readonly Community[];
}

/**
 * Conditions on AS_PATH, nearest AS first. An AS_SET is one place in the path, and equals each number that it has,
 * as in BIRD's path masks.
 */
export interface AsPathMatch {
  readonly beginsWith?: readonly Asn[];
  readonly endsWith?: readonly Asn[];
  /** Each of these occurs, in a set or a sequence. */
  readonly contains?: readonly Asn[];
  /** Bounds of the length as in the decision process: a set counts as one. */
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** What becomes of a route. Changes of several rules are made one after the other. */
export interface RouteChanges {
  readonly communities?: {
    /** All standard and large communities are replaced by these. */
    readonly set?: readonly Community[];
    readonly remove?: readonly Community[];
    readonly add?: readonly Community[];
  };
  /** AS numbers to put in front of the path, the one nearest to the receiver first. */
  readonly prepend?: readonly Asn[];
  /** 0..2^32-1. */
  readonly localPref?: number;
  /** 0..2^32-1. */
  readonly med?: number | 'remove';
  /** Bits per second, above 0: the link bandwidth community that takes the place of any other; `remove`: none. */
  readonly linkBandwidth?: number | 'remove';
  /**
   * Of routes from a peer: how they are reached, instead of what the peer says. Of routes to a peer: what it is told; `self`: our
   * own address of the session, and only there.
   */
  readonly nextHop?: IpAddress | 'self';
}
