import type { AttributeField } from '../wire/attribute-set.ts';
import { type CommunityValue, parseCommunity } from '../wire/communities.ts';
import { isAt } from './edit-communities.ts';
import type { Community, CommunityMatch } from './route-filter.ts';
import type { RouteReader } from './route-reader.ts';

/** @throws {RangeError} If it is no community. */
export function communityOf(text: Community): CommunityValue {
  const value = parseCommunity(text);
  if (value === undefined) throw new RangeError(`${text} is not a community`);
  return value;
}

/** Whether a route has the communities. @throws {RangeError} If one is none. */
export function communityTest(match: CommunityMatch): (route: RouteReader) => boolean {
  const anyOf = match.anyOf?.map(communityOf);
  const allOf = match.allOf?.map(communityOf) ?? [];
  return (route) =>
    allOf.every((value) => carries(route, value)) &&
    (anyOf === undefined || anyOf.some((value) => carries(route, value)));
}

function carries({ communities, largeCommunities }: RouteReader, value: CommunityValue): boolean {
  return typeof value === 'number'
    ? occurs(communities, value, 4)
    : occurs(largeCommunities, value, 12);
}

function occurs({ bytes, from, to }: AttributeField, value: CommunityValue, octets: 4 | 12) {
  for (let at = from; at < to; at += octets) if (isAt(value, bytes, at)) return true;
  return false;
}
