import type { IpAddress } from '@overland/net';
import type { CommunityValue } from '../wire/communities.ts';
import type { LinkBandwidth } from '../wire/link-bandwidth.ts';

/**
 * Changes of an attribute set, compiled; {@link applyEdits} makes them. Equal edits of one policy are one object.
 *
 * LOCAL_PREF and MED are numbers here for whoever does not send the set as it is: an eBGP peer gets no LOCAL_PREF,
 * and a MED only if the export policy sets one.
 */
export interface AttributeEdits {
  /** LOCAL_PREF as the edited set has it; `undefined`: as before. */
  readonly localPref: number | undefined;
  /** MED as the edited set has it; `undefined`: as before; `remove`: none. */
  readonly med: number | 'remove' | undefined;
  /** AS numbers in front of AS_PATH, the one nearest to the receiver first. */
  readonly prepend: readonly number[];
  /** Whether all standard and large communities go before {@link added} come. */
  readonly replacesCommunities: boolean;
  /** Gone before {@link added} come. */
  readonly removed: readonly CommunityValue[];
  /** Those that the set already has stay where they are; the others follow in this order. */
  readonly added: readonly CommunityValue[];
  /** The link bandwidth community that takes the place of those that are there; `undefined`: they stay. */
  readonly linkBandwidth: LinkBandwidth | 'remove' | undefined;
  /** Next hop, which is no part of a set; `self`: our own address; `undefined`: as without edits. */
  readonly nextHop: IpAddress | 'self' | undefined;
}
