import type { IpAddress } from '@overland/net';
import type { AttributeEdits } from './attribute-edits.ts';

/** The filters of one direction of one session and family, ready for questions. Immutable. */
export interface CompiledPolicy {
  /**
   * Equal for policies that treat every route alike and name their rules alike: part of the egress key. Empty if
   * there is no rule for the family: then there is nothing to ask.
   */
  readonly id: string;
  /** Changes of whatever is accepted, after those of the rules. */
  readonly last: AttributeEdits;
  /** Whether {@link RouteFacts.nextHop} is looked at. Otherwise it may be left out. */
  readonly needsNextHop: boolean;
  /** Whether {@link RouteFacts.interface} is looked at. Otherwise it may be left out. */
  readonly needsInterface: boolean;
  /** Whether VRPs are asked for: a verdict for a prefix may be another one when they have changed. */
  readonly needsOrigin: boolean;
  /** Whether edits may have a next hop. */
  readonly setsNextHop: boolean;
  /**
   * Decides for all routes with these facts, as far as the prefix does not matter. The answer may be kept for as
   * long as the facts are the same; it does not borrow the octets.
   */
  of(route: RouteFacts): Verdict | PrefixVerdicts;
  /**
   * Which rules hold for one route, in order, up to the one that decides. For people: it makes objects.
   *
   * @param words As for {@link PrefixVerdicts.verdict}, from 0 on.
   */
  trace(route: RouteFacts, words: Int32Array, lengthBits: number): readonly RuleTrace[];
}

/** A rule that holds for a route. */
export interface RuleTrace {
  /** `FILTER[2]` or `FILTER/RULE`; `always` of what is done to everything that is accepted. */
  readonly rule: string;
  readonly action: 'accept' | 'reject' | 'continue';
  /** What it changes, in words. */
  readonly changes: readonly string[];
}

/** What is the same for all prefixes of a group. */
export interface RouteFacts {
  /** Attributes as normalised wire octets (wire/attribute-set.ts): `length` of them from `offset` on. */
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
  /** Whether the session that is filtered is an eBGP session. */
  readonly isEbgp: boolean;
  /** Whether the route came from a peer; false for what this speaker originates. */
  readonly isLearned: boolean;
  /** As received; absent: the route has none. */
  readonly nextHop?: IpAddress | undefined;
  /** Name of the interface of the next hop; absent: none is known. */
  readonly interface?: string | undefined;
}

/** The outcome of a policy. The same object for the same outcome of the same policy. */
export interface Verdict {
  readonly kind: 'verdict';
  /** Small and unique in its policy, from 0 on: an index for arrays of the caller. */
  readonly index: number;
  readonly accepted: boolean;
  /**
   * No rule decided, so the built-in policy does. Where a rule accepts an export, a `host` offers even what it
   * learned; split horizon and the well-known communities stand above both, as in BIRD.
   */
  readonly isDefault: boolean;
  /** The rule that decided, `FILTER[2]` or `FILTER/RULE`; `default` where none did. */
  readonly rule: string;
  /** What changes; `undefined`: nothing. */
  readonly edits: AttributeEdits | undefined;
}

/** The rules that are left when the prefix matters. */
export interface PrefixVerdicts {
  readonly kind: 'prefix-verdicts';
  /**
   * The verdict for one prefix; makes no object.
   *
   * @param words Words of the address from `at` on, most significant first, bits past the length zero: as in
   *   `NlriList.words`, or as `PrefixTable.readWords` gives them.
   */
  verdict(words: Int32Array, at: number, lengthBits: number): Verdict;
}
