import type { Family } from '@overland/net';
import { z } from 'zod';
import { community } from '../community.ts';
import { asNumber, extension, ipv4Address, ipv6Address } from '../scalars.ts';

// What the rules of a BGPFilter have in Overland and Calico lacks. A rule with any of these is stored apart as a whole:
// without one of its conditions it would hold for routes that it is not about (decision 0141).

const u32 = z.number().int().min(0).max(0xffff_ffff);
/** AS_PATH lengths that fit into an UPDATE of 4096 octets. */
const pathLength = z.number().int().min(0).max(1023);
const asNumbers = z.array(asNumber).min(1).max(32);
const communities = z.array(community).min(1).max(64);

/** Fields of `communities`, beside Calico's `values`. */
export const communityExtensions = {
  anyOf: extension(communities).describe('Only routes that carry one of these.'),
  allOf: extension(communities).describe('Only routes that carry all of these.'),
};

/** Fields of a rule. */
export function ruleExtensions(family: Family) {
  const address = family === 'ipv4' ? ipv4Address : ipv6Address;
  return {
    asPath: extension(
      z.object({
        endsWith: asNumbers
          .optional()
          .describe('The path ends with these: the origin of the route last.'),
        contains: asNumbers.optional().describe('Each of these is in the path.'),
        minLength: pathLength.optional().describe('Shortest path.'),
        maxLength: pathLength.optional().describe('Longest path.'),
      }),
    ).describe('Only routes whose AS path is like this. A set counts as one AS.'),
    nextHops: extension(z.array(address).min(1).max(64)).describe(
      'Only routes with one of these next hops; own routes have none.',
    ),
    localPreferences: extension(z.array(u32).min(1).max(64)).describe(
      'Only routes with one of these values of LOCAL_PREF; without one it is 100.',
    ),
    med: extension(u32).describe('Only routes with this MED; without one it is 0.'),
    originValidation: extension(z.enum(['Valid', 'Invalid', 'NotFound'])).describe(
      'Only routes whose origin is that by the RPKI caches (RFC 6811), which the BGPConfiguration has to name.',
    ),
    continue: extension(z.boolean()).describe(
      'Whether a route that matches is changed, and not accepted yet: the next rule is asked. Conditions see the route as it came.',
    ),
  };
}

/** Operations. Each holds one of these or of Calico's. */
export function operationExtensions(family: Family) {
  const address = family === 'ipv4' ? ipv4Address : ipv6Address;
  return {
    ...attributeOperations,
    setNextHop: extension(
      z.object({
        value: address.describe('The address.'),
      }),
    ).describe(
      'Sets the next hop: of routes from a peer, where packets go to; of routes to a peer, what it is told.',
    ),
    setNextHopSelf: extension(z.object({})).describe(
      'Makes the address of the node the next hop of routes to a peer; not in importV4 and importV6.',
    ),
  };
}

const attributeOperations = {
  removeCommunity: extension(z.object({ value: community.describe('The community.') })).describe(
    'Takes a community from the route.',
  ),
  setCommunities: extension(
    z.object({ values: z.array(community).max(64).describe('The communities; may be none.') }),
  ).describe('Replaces all standard and large communities.'),
  setLocalPreference: extension(z.object({ value: u32.describe('The value.') })).describe(
    'Sets LOCAL_PREF: higher is preferred. setPriority does so, too; the last one counts.',
  ),
  setMED: extension(z.object({ value: u32.describe('The value.') })).describe(
    'Sets MULTI_EXIT_DISC: lower is preferred.',
  ),
  removeMED: extension(z.object({})).describe('Takes MULTI_EXIT_DISC from the route.'),
  setLinkBandwidth: extension(
    z.object({
      megabitsPerSecond: z
        .number()
        .int()
        .min(1)
        .max(1_000_000_000)
        .describe('The bandwidth, Mbit/s.'),
    }),
  ).describe(
    'Puts a link bandwidth community on the route, in place of any that it has: with linkBandwidth, paths share the load in proportion.',
  ),
  removeLinkBandwidth: extension(z.object({})).describe(
    'Takes link bandwidth communities from the route.',
  ),
};
