import type { Community, FilterRule, RouteChanges, RouteMatch } from '@overland/bgp';
import type { BgpFilter } from '@overland/model';
import type { Asn, Family } from '@overland/net';

/** Priorities travel in LOCAL_PREF as this number less the priority. Calico's encoding. */
const PRIORITY_BASE = 0x7fff_ffff;
/** Priority of a route that says nothing about it. Calico's. */
export const NORMAL_PRIORITY = 1024;
/** LOCAL_PREF of such a route, here. */
const NORMAL_LOCAL_PREF = 100;

const BITS_PER_MEGABIT = 1_000_000;
const OPERATORS = { Equal: 'equal', NotEqual: 'notEqual', In: 'in', NotIn: 'notIn' } as const;
const ORIGINS = { Valid: 'valid', Invalid: 'invalid', NotFound: 'not-found' } as const;
const PEER_TYPES = { eBGP: 'ebgp', iBGP: 'ibgp' } as const;

type Rule = NonNullable<BgpFilter['spec'][keyof BgpFilter['spec']]>[number];

/** A rule of a BGPFilter as the speaker has it. */
export function filterRuleOf(rule: Rule, family: Family): FilterRule {
  const match = matchOf(rule);
  const set = changesOf(rule.operations ?? []);
  return {
    family,
    ...(Object.keys(match).length > 0 && { match }),
    action: rule.action === 'Reject' ? 'reject' : rule.continue ? 'continue' : 'accept',
    ...(Object.keys(set).length > 0 && { set }),
  };
}

function matchOf(rule: Rule): RouteMatch {
  const { cidr, matchOperator, prefixLength, communities, nextHops, med } = rule;
  const [asPath, localPrefs] = [asPathOf(rule), localPrefsOf(rule)];
  return {
    ...(cidr !== undefined &&
      matchOperator !== undefined && {
        prefix: {
          prefix: cidr,
          operator: OPERATORS[matchOperator],
          ...(prefixLength?.min !== undefined && { minLength: prefixLength.min }),
          ...(prefixLength?.max !== undefined && { maxLength: prefixLength.max }),
        },
      }),
    ...(rule.source && { isLearned: true }),
    ...(rule.interface !== undefined && { interface: rule.interface }),
    ...(rule.peerType && { peerType: PEER_TYPES[rule.peerType] }),
    ...(communities && { communities: communitiesOf(communities) }),
    ...(asPath && { asPath }),
    ...(nextHops && { nextHops }),
    ...(localPrefs && { localPrefs }),
    ...(med !== undefined && { med }),
    ...(rule.originValidation && { rpki: ORIGINS[rule.originValidation] }),
  };
}

/** All of what is given must hold. */
function communitiesOf({
  values = [],
  anyOf,
  allOf = [],
}: NonNullable<Rule['communities']>): NonNullable<RouteMatch['communities']> {
  const all = [...values, ...allOf];
  return { ...(anyOf && { anyOf }), ...(all.length > 0 && { allOf: all }) };
}

function asPathOf({ asPathPrefix = [], asPath = {} }: Rule): RouteMatch['asPath'] {
  const { endsWith, contains, minLength, maxLength } = asPath;
  const conditions = {
    ...(asPathPrefix.length > 0 && { beginsWith: asPathPrefix }),
    ...(endsWith && { endsWith }),
    ...(contains && { contains }),
    ...(minLength !== undefined && { minLength }),
    ...(maxLength !== undefined && { maxLength }),
  };
  return Object.keys(conditions).length > 0 ? conditions : undefined;
}

/** Both of what LOCAL_PREF says of a priority, and the values themselves, must hold. */
function localPrefsOf({ priority, localPreferences }: Rule): readonly number[] | undefined {
  if (priority === undefined) return localPreferences;
  const encoded = PRIORITY_BASE - priority;
  // The normal one is also that of a route that does not speak of priorities.
  const meant = priority === NORMAL_PRIORITY ? [NORMAL_LOCAL_PREF, encoded] : [encoded];
  return localPreferences ? meant.filter((value) => localPreferences.includes(value)) : meant;
}

/** The operations of a rule, made in order. */
function changesOf(operations: NonNullable<Rule['operations']>): RouteChanges {
  const communities = communityChanges(operations);
  let prepend: Asn[] = [];
  let localPref: number | undefined;
  let med: RouteChanges['med'];
  let linkBandwidth: RouteChanges['linkBandwidth'];
  let nextHop: RouteChanges['nextHop'];
  for (const operation of operations) {
    const { prependASPath, setPriority, setLocalPreference, setMED, removeMED } = operation;
    if (prependASPath) prepend = [...prependASPath.prefix, ...prepend];
    if (setPriority) {
      const { value } = setPriority;
      localPref = value === NORMAL_PRIORITY ? NORMAL_LOCAL_PREF : PRIORITY_BASE - value;
    }
    if (setLocalPreference) localPref = setLocalPreference.value;
    if (setMED) med = setMED.value;
    if (removeMED) med = 'remove';
    if (operation.setLinkBandwidth) {
      linkBandwidth = operation.setLinkBandwidth.megabitsPerSecond * BITS_PER_MEGABIT;
    }
    if (operation.removeLinkBandwidth) linkBandwidth = 'remove';
    if (operation.setNextHop) nextHop = operation.setNextHop.value;
    if (operation.setNextHopSelf) nextHop = 'self';
  }
  return {
    ...(communities && { communities }),
    ...(prepend.length > 0 && { prepend }),
    ...(localPref !== undefined && { localPref }),
    ...(med !== undefined && { med }),
    ...(linkBandwidth !== undefined && { linkBandwidth }),
    ...(nextHop !== undefined && { nextHop }),
  };
}

/** One replacement, removals and additions that do what the operations do one after the other. */
function communityChanges(
  operations: NonNullable<Rule['operations']>,
): RouteChanges['communities'] | undefined {
  let set: readonly Community[] | undefined;
  let remove: readonly Community[] = [];
  let add: readonly Community[] = [];
  for (const { setCommunities, removeCommunity, addCommunity } of operations) {
    if (setCommunities) [set, remove, add] = [setCommunities.values, [], []];
    if (removeCommunity) {
      const isOther = (value: Community): boolean => value !== removeCommunity.value;
      [set, add] = [set?.filter(isOther), add.filter(isOther)];
      if (!set) remove = [...remove, removeCommunity.value];
    }
    if (addCommunity) add = [...add, addCommunity.value];
  }
  if (!set && remove.length === 0 && add.length === 0) return undefined;
  return {
    ...(set && { set }),
    ...(remove.length > 0 && { remove }),
    ...(add.length > 0 && { add }),
  };
}
