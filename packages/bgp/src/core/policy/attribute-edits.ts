/**
 * Changes of an attribute set, compiled: `applyEdits` makes them. Equal edits of one policy are one object.
 *
 * LOCAL_PREF and MED are here as numbers for whom does not send the set as it is: an eBGP peer gets no LOCAL_PREF,
 * and a MED only if the export policy sets one.
 */
export interface AttributeEdits {
  /** LOCAL_PREF as the edited set has it; `undefined`: as before. */
  readonly localPref: number | undefined;
  /** MED as the edited set has it; `undefined`: as before; `remove`: none. */
  readonly med: number | 'remove' | undefined;
  /** AS numbers in front of AS_PATH, nearest to the receiver first. */
  readonly prepend: readonly number[];
  /** Whether all communities go before {@link added} come. */
  readonly replacesCommunities: boolean;
  /** Standard communities. */
  readonly removed: readonly number[];
  readonly added: readonly number[];
  /** Large communities: three numbers each, one after the other. */
  readonly removedLarge: readonly number[];
  readonly addedLarge: readonly number[];
}

/** The edited set would be longer than `MAX_ATTRIBUTE_OCTETS`: the route has to be refused. */
export const TOO_LONG = -1;
