import { type CommunityValue, communityText } from '../wire/communities.ts';
import { bandwidthText } from '../wire/link-bandwidth.ts';
import type { AttributeEdits } from './attribute-edits.ts';

/** Changes of attributes in words, one for each attribute: `local-pref 50`, `communities + 65000:1`. */
export function describeEdits(edits: AttributeEdits): string[] {
  const { localPref, med, prepend, nextHop } = edits;
  const communities = describeCommunities(edits);
  return [
    ...(localPref === undefined ? [] : [`local-pref ${localPref}`]),
    ...(med === undefined ? [] : [med === 'remove' ? 'no med' : `med ${med}`]),
    ...(prepend.length === 0 ? [] : [`prepend ${prepend.join(' ')}`]),
    ...(communities === '' ? [] : [`communities ${communities}`]),
    ...describeBandwidth(edits),
    ...(nextHop === undefined ? [] : [`next hop ${nextHop}`]),
  ];
}

function describeBandwidth({ linkBandwidth }: AttributeEdits): string[] {
  if (linkBandwidth === undefined) return [];
  if (linkBandwidth === 'remove') return ['no link bandwidth'];
  return [`link bandwidth ${bandwidthText(linkBandwidth.bitsPerSecond)}`];
}

function describeCommunities({ replacesCommunities, removed, added }: AttributeEdits): string {
  if (replacesCommunities) return added.length === 0 ? 'none' : textOf(added);
  return [
    ...(removed.length === 0 ? [] : [`- ${textOf(removed)}`]),
    ...(added.length === 0 ? [] : [`+ ${textOf(added)}`]),
  ].join(' ');
}

function textOf(values: readonly CommunityValue[]): string {
  return values
    .map((value) => (typeof value === 'number' ? communityText(value) : value.join(':')))
    .join(' ');
}
