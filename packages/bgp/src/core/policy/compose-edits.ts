import type { CommunityValue } from '../wire/communities.ts';
import type { AttributeEdits } from './attribute-edits.ts';
import { communityOf } from './community-test.ts';
import type { RouteChanges } from './route-filter.ts';

/** Changes nothing. */
export const NO_EDITS: AttributeEdits = {
  localPref: undefined,
  med: undefined,
  prepend: [],
  replacesCommunities: false,
  removed: [],
  added: [],
  linkBandwidth: undefined,
  nextHop: undefined,
};

/**
 * The edits of one rule.
 *
 * @param asn Ours, for communities that tell who says so.
 * @throws {RangeError} If a community is none.
 */
export function editsOf(
  { communities = {}, prepend, localPref, med, linkBandwidth, nextHop }: RouteChanges,
  asn = 0,
): AttributeEdits {
  const [set, remove, add] = [communities.set, communities.remove ?? [], communities.add ?? []];
  const removed = unique(remove.map(communityOf));
  return {
    localPref,
    med,
    prepend: prepend ?? [],
    replacesCommunities: set !== undefined,
    removed: set ? [] : removed,
    added: unique([...without((set ?? []).map(communityOf), removed), ...add.map(communityOf)]),
    linkBandwidth:
      typeof linkBandwidth === 'number' ? { asn, bitsPerSecond: linkBandwidth } : linkBandwidth,
    nextHop,
  };
}

/** The edits that do what `first` does, and then what `next` does. */
export function composeEdits(first: AttributeEdits, next: AttributeEdits): AttributeEdits {
  const kept = next.replacesCommunities ? [] : without(first.added, next.removed);
  const replacesCommunities = first.replacesCommunities || next.replacesCommunities;
  return {
    localPref: next.localPref ?? first.localPref,
    med: next.med ?? first.med,
    prepend: [...next.prepend, ...first.prepend],
    replacesCommunities,
    removed: replacesCommunities ? [] : unique([...first.removed, ...next.removed]),
    added: unique([...kept, ...next.added]),
    linkBandwidth: next.linkBandwidth ?? first.linkBandwidth,
    nextHop: next.nextHop ?? first.nextHop,
  };
}

/** Equal for edits that do the same, whatever the set. */
export function editsKey(edits: AttributeEdits): string {
  const { localPref, med, prepend, replacesCommunities, removed, added } = edits;
  const communities = [replacesCommunities, keys(removed), keys(added)];
  const rest = [bandwidthKey(edits), edits.nextHop];
  return [localPref, med, prepend.join(' '), ...communities, ...rest].join(';');
}

function bandwidthKey({ linkBandwidth }: AttributeEdits): string | undefined {
  if (typeof linkBandwidth !== 'object') return linkBandwidth;
  return `${linkBandwidth.asn} ${linkBandwidth.bitsPerSecond}`;
}

function keys(values: readonly CommunityValue[]): string {
  return values.map(String).join(' ');
}

function unique(values: readonly CommunityValue[]): CommunityValue[] {
  return [...new Map(values.map((value) => [String(value), value])).values()];
}

function without(values: readonly CommunityValue[], others: readonly CommunityValue[]) {
  const gone = new Set(others.map(String));
  return values.filter((value) => !gone.has(String(value)));
}
