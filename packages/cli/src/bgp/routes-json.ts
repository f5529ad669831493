import type { RouteView } from '@overland/bgp';
import { familyOf, networkAddress, prefixLength } from '@overland/net';

const ORIGINS = { igp: 'IGP', egp: 'EGP', incomplete: 'incomplete' } as const;

/**
 * Routes as the members of the object `routes` of FRR's `show bgp json`, a text for each prefix. Ours in addition:
 * `peerName`, `stale`, `refused`, and `communities`, which FRR has in the detail of a prefix only.
 */
export function routeMember({ prefix, paths }: RouteView): string {
  const family = familyOf(prefix);
  const entries = paths.map((path) => ({
    ...(path.usable && { valid: true }),
    ...(path.best && { bestpath: true }),
    ...(path.multipath && { multipath: true }),
    ...(path.stale && { stale: true }),
    ...(path.refused !== null && { refused: path.refused }),
    pathFrom: path.internal ? 'internal' : 'external',
    prefix: networkAddress(prefix),
    prefixLen: prefixLength(prefix),
    network: prefix,
    ...(path.med !== null && { metric: path.med }),
    ...(path.localPref !== null && { locPrf: path.localPref }),
    peerName: path.peer,
    ...(path.pathId !== null && { addpathRxId: path.pathId }),
    ...(path.rpki && { rpkiValidationState: path.rpki }),
    ...(path.communities.length > 0 && { communities: path.communities }),
    path: path.asPath.join(' '),
    origin: ORIGINS[path.origin],
    nexthops: path.nextHop === null ? [] : [{ ip: path.nextHop, afi: family, used: path.usable }],
  }));
  return `${JSON.stringify(prefix)}:${JSON.stringify(entries)}`;
}
